import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.hl7.fhir.convertors.factory.VersionConvertorFactory_40_50;
import org.hl7.fhir.r4.formats.JsonParser;
import org.hl7.fhir.r4.model.MetadataResource;
import org.hl7.fhir.r5.context.IWorkerContext;
import org.hl7.fhir.r5.elementmodel.Element;
import org.hl7.fhir.r5.elementmodel.Manager;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.r5.model.CanonicalResource;
import org.hl7.fhir.r5.model.CanonicalType;
import org.hl7.fhir.r5.model.Resource;
import org.hl7.fhir.r5.utils.OperationOutcomeUtilities;
import org.hl7.fhir.r5.utils.validation.IResourceValidator;
import org.hl7.fhir.r5.utils.validation.IValidatorResourceFetcher;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;
import org.hl7.fhir.utilities.http.ManagedWebAccess;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.validation.ValidationEngine;
import org.hl7.fhir.validation.instance.InstanceValidator;
import org.hl7.fhir.validation.instance.advisor.BasePolicyAdvisorForFullValidation;

/** Validates JSON files against R4 and each other's profiles, offline: a line of JSON for each. */
public class Validate {
  /** Finds references among the files; what a url leads to is not fetched. */
  static class Host extends BasePolicyAdvisorForFullValidation
      implements IValidatorResourceFetcher {
    final ValidationEngine engine;
    final Map<String, byte[]> byReference;

    Host(ValidationEngine engine, Map<String, byte[]> byReference) {
      super(ReferenceValidationPolicy.CHECK_TYPE_IF_EXISTS, null);
      this.engine = engine;
      this.byReference = byReference;
    }

    public Element fetch(IResourceValidator validator, Object context, String url)
        throws IOException {
      byte[] data = byReference.get(url);
      return data == null ? null : Manager.makeParser(engine.getContext(), FhirFormat.JSON)
          .parseSingle(new ByteArrayInputStream(data), null);
    }

    public boolean resolveURL(IResourceValidator validator, Object context, String path,
        String url, IWorkerContext.VersionResolutionRules rules, String type, boolean canonical,
        List<CanonicalType> targets) {
      return true;
    }

    public byte[] fetchRaw(IResourceValidator validator, String url) throws IOException {
      throw new IOException("offline");
    }

    public IValidatorResourceFetcher setLocale(Locale locale) {
      return this;
    }

    public CanonicalResource fetchCanonicalResource(IResourceValidator validator, Object context,
        String url) {
      return null;
    }

    public boolean fetchesCanonicalResource(IResourceValidator validator, String url) {
      return false;
    }

    public Set<ResourceVersionInformation> fetchCanonicalResourceVersions(
        IResourceValidator validator, Object context, String url) {
      return new HashSet<>();
    }
  }

  public static void main(String[] files) throws Exception {
    PrintStream answers = System.out;
    System.setOut(System.err); // the library prints; only answers go to standard output
    ManagedWebAccess.setAccessPolicy(ManagedWebAccess.WebAccessPolicy.PROHIBITED);
    ValidationEngine base = new ValidationEngine.ValidationEngineBuilder()
        .withVersion("4.0.1").withNoTerminologyServer().fromSource("hl7.fhir.r4.core#4.0.1");
    base.getContext().setCanRunWithoutTerminology(true);
    base.getContext().setNoTerminologyServer(true);
    base.setLocale(Locale.US);
    Map<String, byte[]> byReference = new HashMap<>();
    List<Resource> definitions = new ArrayList<>();
    for (String file : files) {
      byte[] data = Files.readAllBytes(Path.of(file));
      org.hl7.fhir.r4.model.Resource given = new JsonParser().parse(data);
      byReference.put(given.fhirType() + "/" + given.getIdPart(), data);
      if (given instanceof MetadataResource) { // a RequestGroup cannot be converted
        definitions.add(VersionConvertorFactory_40_50.convertResource(given));
      }
    }
    for (String file : files) {
      // A copy for each file: without a terminology server its answers depend on what it saw before
      // (a unit of time makes it reject the MIME type of the next file).
      ValidationEngine engine = new ValidationEngine(base);
      for (Resource definition : definitions) {
        engine.getContext().cacheResource(definition);
      }
      InstanceValidator validator = engine.getValidator(FhirFormat.JSON);
      Host host = new Host(engine, byReference);
      validator.setFetcher(host);
      validator.setPolicyAdvisor(host);
      validator.setBestPracticeWarningLevel(BestPracticeWarningLevel.Warning);
      List<ValidationMessage> messages = new ArrayList<>();
      byte[] data = Files.readAllBytes(Path.of(file));
      validator.validate(null, messages, new ByteArrayInputStream(data), FhirFormat.JSON);
      answers.println(new org.hl7.fhir.r5.formats.JsonParser()
          .composeString(OperationOutcomeUtilities.createOutcomeSimple(messages)));
    }
    System.exit(0); // the library leaves threads behind
  }
}
