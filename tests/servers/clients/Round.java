import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.server.exceptions.ResourceGoneException;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.Patient;

/** A round of HAPI's client: create, read, update with a version, search, page, delete. */
public class Round {
  public static void main(String[] arguments) {
    IGenericClient client = FhirContext.forR4().newRestfulGenericClient(arguments[0]);
    Patient made = new Patient();
    made.addName().setFamily("Round").addGiven("Hapi");
    MethodOutcome outcome = client.create().resource(made).execute();
    check(outcome.getCreated(), "created");
    String id = outcome.getId().getIdPart();
    Patient read = client.read().resource(Patient.class).withId(id).execute();
    check(read.getNameFirstRep().getFamily().equals("Round"), "read");
    read.setActive(true);
    check(client.update().resource(read).execute().getId().getVersionIdPart().equals("2"), "updated");
    Bundle found = client.search().forResource(Patient.class)
        .where(Patient.FAMILY.matches().value("round")).sort().descending(Patient.BIRTHDATE)
        .count(1).returnBundle(Bundle.class).execute();
    check(found.getEntry().size() == 1, "found");
    for (int number = 0; number < 3; number++) {
      Patient other = new Patient();
      other.addName().setFamily("Page");
      client.create().resource(other).execute();
    }
    Bundle page = client.search().forResource(Patient.class)
        .where(Patient.FAMILY.matches().value("page")).count(2).returnBundle(Bundle.class).execute();
    check(client.loadPage().next(page).execute().getEntry().size() == 1, "paged");
    check(client.validate().resource(read).execute().getOperationOutcome() != null, "validated");
    client.delete().resourceById("Patient", id).execute();
    try {
      client.read().resource(Patient.class).withId(id).execute();
    } catch (ResourceGoneException gone) {
      return;
    }
    check(false, "gone");
  }

  private static void check(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }
}
