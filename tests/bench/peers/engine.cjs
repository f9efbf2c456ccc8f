// Evaluates a form's expressions with fhirpath.js: node engine.cjs CASE.json ROUNDS, from the folder of node_modules.
const fs = require("fs");
const { createRequire } = require("module");
const here = createRequire(process.cwd() + "/");
const fhirpath = here("fhirpath");
const r4 = here("fhirpath/fhir-context/r4");

const [file, rounds] = process.argv.slice(2);
const { resource, variables, expressions } = JSON.parse(fs.readFileSync(file, "utf8"));
const milliseconds = (before) => { const used = process.cpuUsage(before); return (used.user + used.system) / 1000; };

let start = process.cpuUsage();
const compiled = expressions.map(([name, text]) => {
  try { return [name, fhirpath.compile(text, r4)]; } catch { return [name, null]; }
});
const compiling = milliseconds(start);

function pass() {
  const known = { resource, rootResource: resource, ...variables };
  return compiled.map(([name, run]) => {
    let found = null;
    try { found = run ? run(resource, known) : null; } catch { found = null; }
    if (name) known[name] = found ?? [];
    return found;
  });
}

const results = pass();
const taken = [];
for (let round = 0; round < Number(rounds); round++) {
  start = process.cpuUsage();
  pass();
  taken.push(milliseconds(start));
}
taken.sort((a, b) => a - b);
console.log(JSON.stringify({ results, compiling, pass: taken[Math.floor(taken.length / 2)] }));
