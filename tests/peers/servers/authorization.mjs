// npm's oidc-provider, set up for SMART backend services: private_key_jwt over the client's published key set, opaque tokens, client_credentials.
import http from 'node:http';
import Provider from 'oidc-provider';
import { within } from './scopes.mjs';

const SECONDS = 300;

/** Everything the provider keeps, in memory; clients are looked up anew for every request. */
class Shelf {
  static kept = new Map();
  static clients = new Map();
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
  async revokeByGrantId() {}
}

export async function authorizationServer(fhir, listening) {
  let handle;
  const server = http.createServer((request, response) => handle(request, response));
  const issuer = `http://127.0.0.1:${await listening(server)}`;
  const provider = new Provider(issuer, {
    adapter: Shelf,
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'] },
    extraClientMetadata: { properties: ['allowed'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => fhir,
        getResourceServerInfo: (ctx, _resource, client) => ({ scope: granted(ctx, client), accessTokenFormat: 'opaque' }),
      },
    },
    ttl: { ClientCredentials: SECONDS },
    // our key sets are on this machine, which its own dispatcher would refuse; and a busy machine may take longer than its 2.5 s
    fetch: (url, { dispatcher, signal, ...options }) => globalThis.fetch(url, { ...options, signal: AbortSignal.timeout(20_000) }),
  });
  handle = provider.callback();
  provider.on('server_error', (_, fault) => console.error('authorization:', fault));
  provider.on('grant.error', (_, fault) => console.error('refused:', fault.error, fault.error_description, fault.cause?.error_description ?? ''));
  const found = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  return {
    issuer,
    smart: {
      issuer,
      token_endpoint: found.token_endpoint,
      revocation_endpoint: found.revocation_endpoint,
      jwks_uri: found.jwks_uri,
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: found.token_endpoint_auth_methods_supported,
      token_endpoint_auth_signing_alg_values_supported: found.token_endpoint_auth_signing_alg_values_supported,
      scopes_supported: ['system/*.cruds'],
      capabilities: ['client-confidential-asymmetric', 'permission-v2'],
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
    scopeOf: async (token) => {
      const kept = await provider.ClientCredentials.find(token);
      return kept?.isValid ? (kept.scope ?? '') : undefined;
    },
    expire: () => [...Shelf.kept.keys()].filter((key) => key.startsWith('ClientCredentials:')).forEach((key) => Shelf.kept.delete(key)),
    tokens: () => [...Shelf.kept.keys()].filter((key) => key.startsWith('ClientCredentials:')).length,
  };
}

/** Of what a client asks, the part that it is allowed; the rest is silently left out, as OAuth permits. */
function granted(ctx, client) {
  const asked = (ctx.oidc.params?.scope ?? '').split(' ').filter(Boolean);
  return asked.filter((scope) => within(scope, client.allowed ?? '')).join(' ');
}
