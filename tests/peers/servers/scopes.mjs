// SMART scopes, v1 and v2, as the gateway enforces them: what a request needs, and whether a token's scope reaches that far.
const V1 = { read: 'rs', write: 'cud', '*': 'cruds' };
const VERBS = { POST: 'c', PUT: 'u', PATCH: 'u', DELETE: 'd' };

/** The needs of one request as {type, letter}; a Bundle needs what each of its entries needs. */
export function needed(method, path, body) {
  if (path === '' && method === 'POST') return entries(body).flatMap((entry) => one(entry.request?.method, entry.request?.url ?? ''));
  return one(method, path);
}

/** The needs of whoever is shown the resources of a searchset. */
export function shown(body) {
  return entries(body).map((entry) => ({ type: entry.resource?.resourceType ?? '*', letter: 's' }));
}

function one(method, path) {
  const [type, id] = path.split('?')[0].split('/');
  if (method === 'GET' || method === 'HEAD') return [{ type: type || '*', letter: id && !id.startsWith('_') ? 'r' : 's' }];
  if (method === 'POST' && id === '_search') return [{ type, letter: 's' }];
  return [{ type: type || '*', letter: VERBS[method] ?? 'd' }];
}

function entries(body) {
  try {
    return JSON.parse(body.toString()).entry ?? [];
  } catch {
    return [];
  }
}

export function covers(scope, need) {
  return scope.split(' ').some((each) => {
    const found = /^(system|user|patient)\/(\*|[A-Z][A-Za-z]+)\.(\*|read|write|[cruds]+)$/.exec(each);
    return found && ['*', need.type].includes(found[2]) && (V1[found[3]] ?? found[3]).includes(need.letter);
  });
}

/** Whether everything that `asked` names is inside what a client is `allowed`. */
export function within(asked, allowed) {
  const found = /^system\/(\*|[A-Z][A-Za-z]+)\.(\*|read|write|[cruds]+)$/.exec(asked);
  return Boolean(found) && [...(V1[found[2]] ?? found[2])].every((letter) => covers(allowed, { type: found[1], letter }));
}
