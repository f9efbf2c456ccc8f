// A clinic's front door for tests: npm's oidc-provider as authorization server, and a proxy that lets a request through to a FHIR
// server only with a token whose scopes reach. Other servers bring their own authorization: then it only carries ("pass").
// Argument: a JSON object {kind: "fhir"|"pass"|"medplum", admin, declared?}. Prints one JSON line when it is up.
import http from 'node:http';
import { authorizationServer } from './authorization.mjs';
import { covers, needed, shown } from './scopes.mjs';

const settings = JSON.parse(process.argv[2]);
const state = { upstream: undefined, lose: 0, seen: [] };
const listening = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));

const front = http.createServer((request, response) => answer(request, response).catch((fault) => {
  console.error(fault);
  if (!response.headersSent) say(response, 500, outcome('exception', 'the gateway stumbled'));
}));
const base = `http://127.0.0.1:${await listening(front)}`;
const fhir = `${base}/fhir`;
const medplum = settings.kind === 'medplum' ? await (await import('./medplum.mjs')).open(fhir, settings.declared) : undefined;
const guard = settings.kind === 'pass' ? undefined : await authorizationServer(fhir, listening);
console.log(JSON.stringify({ base, fhir, issuer: guard?.issuer ?? base }));

async function answer(request, response) {
  const body = await all(request);
  const { pathname } = new URL(request.url, base);
  if (pathname !== '/$peer' && request.headers.authorization !== `Bearer ${settings.admin}`) state.seen.push(`${request.method} ${request.url}`);
  if (pathname === '/$peer') return say(response, 200, command(JSON.parse(body.toString() || '{}')));
  if (!guard) return forward(request, response, body);
  if (pathname === '/fhir/.well-known/smart-configuration') return say(response, 200, guard.smart, 'application/json');
  if (!(pathname === '/fhir' || pathname.startsWith('/fhir/'))) return say(response, 404, outcome('not-found', 'no such door'));
  if (pathname === '/fhir/metadata' && request.method === 'GET') return forward(request, response, body);
  const refused = await guarded(request, pathname.slice('/fhir'.length).replace(/^\//, ''), body);
  return refused ? refused(response) : forward(request, response, body);
}

/** What a test asks of the gateway: where the server is, to lose the next answers to writes, to end every token now, to know a client;
 * it is told what the portal asked for since the last time. */
function command(wish) {
  if (wish.upstream) state.upstream = wish.upstream;
  if (wish.lose !== undefined) state.lose = wish.lose;
  if (wish.client) guard.know(wish.client);
  if (wish.people) guard.knowForPeople(wish.people);
  if (wish.person) guard.person(wish.person);
  if (wish.expire) guard.expire();
  return { issuer: guard?.issuer, lose: state.lose, tokens: guard?.tokens(), seen: state.seen.splice(0) };
}

/** Undefined for a request that may pass, else how it is refused. A further page of a search is judged by what is on it. */
async function guarded(request, path, body) {
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === settings.admin) return undefined;
  const scope = token ? await guard.scopeOf(token) : undefined;
  if (scope === undefined) {
    const error = token ? ', error="invalid_token"' : '';
    return (response) => say(response, 401, outcome('login', 'a valid token is needed'), undefined, { 'www-authenticate': `Bearer realm="clinic"${error}` });
  }
  const further = request.method === 'GET' && path === '' && request.url.includes('_getpages=');
  const needs = further ? shown((await upstream(request, body)).body) : needed(request.method, path, body);
  const missing = needs.find((need) => !covers(scope, need));
  if (!missing) return undefined;
  const text = `${missing.type}.${missing.letter}`;
  return (response) => say(response, 403, outcome('forbidden', `the token does not reach ${text}`), undefined, { 'www-authenticate': 'Bearer error="insufficient_scope"' });
}

async function forward(request, response, body) {
  const writes = !['GET', 'HEAD'].includes(request.method) && !request.url.startsWith('/auth') && !request.url.endsWith('/_search');
  const answered = medplum ? await medplum(request, body) : await upstream(request, body);
  if (writes && state.lose > 0) {
    state.lose -= 1;
    return request.socket.destroy(); // the server has it; the client never hears
  }
  response.writeHead(answered.status, answered.headers);
  response.end(answered.body);
}

function upstream(request, body) {
  const headers = { ...request.headers };
  for (const name of ['connection', 'transfer-encoding', 'content-length', ...(guard ? ['authorization'] : [])]) delete headers[name];
  if (body.length) headers['content-length'] = body.length;
  return new Promise((done, failed) => {
    const sent = http.request(state.upstream + request.url, { method: request.method, headers }, async (got) => {
      const { connection, 'transfer-encoding': chunked, ...kept } = got.headers;
      done({ status: got.statusCode, headers: kept, body: await all(got) });
    });
    sent.on('error', failed);
    sent.end(body);
  });
}

async function all(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

function outcome(code, diagnostics) {
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, diagnostics }] };
}

function say(response, status, value, type = 'application/fhir+json', headers = {}) {
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(JSON.stringify(value));
}
