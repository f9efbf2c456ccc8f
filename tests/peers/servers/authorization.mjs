// npm's oidc-provider, set up for SMART: backend services (private_key_jwt over the client's published key set, client_credentials) and
// people who sign in (authorization code with PKCE, refresh tokens that rotate, id_tokens). Tokens are opaque. Its own pages ask who it is.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';
import Provider, { errors } from 'oidc-provider';
import { within } from './scopes.mjs';

const SECONDS = 300;

/** Everything the provider keeps, in memory; clients are looked up anew for every request. */
class Shelf {
  static kept = new Map();
  static clients = new Map();
  static people = new Map();
  constructor(model) {
    this.model = model;
  }
  async upsert(id, payload, expiresIn) {
    Shelf.kept.set(`${this.model}:${id}`, { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
  }
  async find(id) {
    if (this.model === 'Client') return Shelf.clients.get(id);
    const found = Shelf.kept.get(`${this.model}:${id}`);
    return found && found.until > Date.now() ? found.payload : undefined;
  }
  async consume(id) {
    const found = Shelf.kept.get(`${this.model}:${id}`);
    if (found) found.payload.consumed = Math.floor(Date.now() / 1000);
  }
  async destroy(id) {
    Shelf.kept.delete(`${this.model}:${id}`);
  }
  async findByUid(uid) {
    for (const [key, { payload, until }] of Shelf.kept) if (key.startsWith(`${this.model}:`) && payload.uid === uid && until > Date.now()) return payload;
    return undefined;
  }
  async revokeByGrantId(grant) {
    for (const [key, { payload }] of Shelf.kept) if (key.startsWith(`${this.model}:`) && payload.grantId === grant) Shelf.kept.delete(key);
  }
}

export async function authorizationServer(fhir, listening) {
  let handle;
  const server = http.createServer((request, response) => handle(request, response));
  const issuer = `http://127.0.0.1:${await listening(server)}`;
  const provider = new Provider(issuer, {
    adapter: Shelf,
    clientAuthMethods: ['private_key_jwt', 'client_secret_basic', 'none'],
    jwks: { keys: [{ ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid: 'signing', use: 'sig', alg: 'RS256' }] },
    cookies: { keys: [randomBytes(24).toString('hex')] },
    scopes: ['openid', 'offline_access', 'launch', 'launch/patient'],
    claims: { openid: ['sub'], fhirUser: ['fhirUser'] },
    conformIdTokenClaims: false,
    extraParams: { aud: aimed, launch: null },
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, fhirUser: Shelf.people.get(id)?.user }) }),
    enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'] },
    extraClientMetadata: { properties: ['allowed'] },
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => fhir,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, _resource, client) => ({ scope: granted(ctx, client), accessTokenFormat: 'opaque' }),
      },
    },
    ttl: { ClientCredentials: SECONDS },
    // our key sets are on this machine, which its own dispatcher would refuse; and a busy machine may take longer than its 2.5 s
    fetch: (url, { dispatcher, signal, ...options }) => globalThis.fetch(url, { ...options, signal: AbortSignal.timeout(20_000) }),
  });
  /** SMART's own: a request names the server it is for, and a token's answer says whose record it is. */
  function aimed(_, value, client) {
    if (client.grantTypeAllowed('authorization_code') && value !== fhir) throw new errors.InvalidRequest('aud is not this server');
  }
  provider.use(async (ctx, next) => {
    await next();
    const who = ctx.oidc?.route === 'token' && ctx.body?.access_token && Shelf.people.get(ctx.oidc.entities.Account?.accountId);
    if (who?.patient) ctx.body.patient = who.patient;
  });
  handle = provider.callback();
  provider.on('server_error', (_, fault) => console.error('authorization:', fault));
  provider.on('grant.error', (_, fault) => console.error('refused:', fault.error, fault.error_description, fault.cause?.error_description ?? ''));
  const found = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  return {
    issuer,
    smart: {
      issuer,
      authorization_endpoint: found.authorization_endpoint,
      token_endpoint: found.token_endpoint,
      revocation_endpoint: found.revocation_endpoint,
      jwks_uri: found.jwks_uri,
      grant_types_supported: ['client_credentials', 'authorization_code', 'refresh_token'],
      code_challenge_methods_supported: found.code_challenge_methods_supported,
      authorization_response_iss_parameter_supported: found.authorization_response_iss_parameter_supported,
      token_endpoint_auth_methods_supported: found.token_endpoint_auth_methods_supported,
      token_endpoint_auth_signing_alg_values_supported: found.token_endpoint_auth_signing_alg_values_supported,
      scopes_supported: ['system/*.cruds'],
      capabilities: ['client-confidential-asymmetric', 'client-public', 'permission-v2', 'permission-offline', 'permission-patient', 'launch-ehr',
        'launch-standalone', 'context-standalone-patient', 'sso-openid-connect'],
    },
    know: ({ id, jwks_uri, allowed }) => Shelf.clients.set(id, {
      client_id: id,
      jwks_uri,
      allowed,
      token_endpoint_auth_method: 'private_key_jwt',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    }),
    /** A client for people: how it proves itself, where it may be answered, which scopes it is allowed. */
    knowForPeople: ({ id, method, redirect_uri, allowed, secret, jwks_uri }) => Shelf.clients.set(id, {
      client_id: id,
      allowed,
      token_endpoint_auth_method: method,
      ...(secret && { client_secret: secret }),
      ...(jwks_uri && { jwks_uri }),
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: [redirect_uri],
    }),
    person: ({ login, user, patient }) => Shelf.people.set(login, { user, patient }),
    scopeOf: async (token) => {
      const kept = (await provider.ClientCredentials.find(token)) ?? (await provider.AccessToken.find(token));
      return kept?.isValid ? (kept.scope ?? '') : undefined;
    },
    expire: () => [...Shelf.kept.keys()].filter((key) => /^(ClientCredentials|AccessToken):/.test(key)).forEach((key) => Shelf.kept.delete(key)),
    tokens: () => [...Shelf.kept.keys()].filter((key) => key.startsWith('ClientCredentials:')).length,
  };
}

/** Of what a client asks, the part that it is allowed; the rest is silently left out, as OAuth permits. */
function granted(ctx, client) {
  if (client.grantTypeAllowed('authorization_code')) return client.allowed;
  const asked = (ctx.oidc.params?.scope ?? '').split(' ').filter(Boolean);
  return asked.filter((scope) => within(scope, client.allowed ?? '')).join(' ');
}
