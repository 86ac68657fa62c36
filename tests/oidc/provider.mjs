// An identity provider on loopback: panva's oidc-provider, whose pages take any user with any password. How it is
// to misbehave is told at /fault. Arguments: issuer, port, the desk's way back, and for TLS certificate and key.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { Provider } from 'oidc-provider';

const [issuer, port, back, certificate, key] = process.argv.slice(2);
const groups = { sato: ['desk-agents', 'wiki'], kacho: ['desk-leads'], mori: ['wiki'], kato: ['desk-agents'] };
const lines = { sato: '2001' };
let fault = 'none';

// The token endpoint's clock, for tokens that are over.
const now = Date.now.bind(Date);
let behind_ms = 0;
Date.now = () => now() - behind_ms;

const client = (client_id) => ({ client_id, client_secret: `secret of ${client_id}`, redirect_uris: [back] });

let made = 0;
function provider() {
    made += 1;
    const signer = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
    const one = new Provider(issuer, {
        clients: [
            client('madoguchi'),
            client('wiki'),
            // One that has no secret.
            { client_id: 'pages', token_endpoint_auth_method: 'none', redirect_uris: [back] },
        ],
        jwks: { keys: [{ ...signer, kid: `key-${made}`, use: 'sig', alg: 'RS256' }] },
        cookies: { keys: ['tests only'] },
        pkce: { required: () => true },
        claims: { profile: ['preferred_username', 'name'], desk: ['groups', 'line'] },
        scopes: ['openid', 'profile', 'desk'],
        // Claims in the ID token itself.
        conformIdTokenClaims: false,
        findAccount: (_, id) => ({
            accountId: id,
            claims: () => ({ sub: id, preferred_username: id, name: `${id} of the provider`, groups: groups[id] ?? [], line: lines[id] }),
        }),
    });
    one.use(async (ctx, next) => {
        if (ctx.path === '/fault') {
            fault = ctx.query.kind;
            if (fault === 'rotate') current = provider().callback();
            ctx.body = fault;
            return;
        }
        const asks = ctx.path === '/auth' && ctx.method === 'GET';
        if (fault === 'nonce' && asks) ctx.url = ctx.url.replace(/nonce=[0-9a-f]+/, 'nonce=another-login');
        if (fault === 'audience' && asks) ctx.url = ctx.url.replace('client_id=madoguchi', 'client_id=wiki');
        if (ctx.path !== '/token') return next();
        if (fault === 'audience') {
            const basic = Buffer.from(`wiki:${encodeURIComponent('secret of wiki')}`).toString('base64');
            ctx.req.headers.authorization = `Basic ${basic}`;
        }
        if (fault === 'slow') await new Promise((done) => setTimeout(done, 15_000));
        if (fault === 'over') behind_ms = 3 * 3_600_000;
        try {
            await next();
        } finally {
            behind_ms = 0;
        }
        if (fault === 'long') ctx.body = { ...ctx.body, padding: 'x'.repeat(300_000) };
        if (fault === 'words') {
            ctx.status = 500;
            ctx.body = 'a secret word of the provider';
        }
    });
    return one;
}

let current = provider().callback();
const serve = (request, response) => current(request, response);
const server = certificate
    ? https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, serve)
    : http.createServer(serve);
server.listen(Number(port), '127.0.0.1', () => console.log('listening'));
