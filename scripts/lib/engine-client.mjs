/** Talks to the Docker Engine over its socket with what Node has: no docker program, no package needed. */
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';

export const DEFAULT_SOCKET = '/var/run/docker.sock';

/** The engine answered with an error. `status` is its HTTP status. */
export class EngineError extends Error {
  /**
   * @param {string} message
   * @param {number} status
   */
  constructor(message, status) {
    super(message);
    this.name = 'EngineError';
    this.status = status;
  }
}

/** @typedef {{ options: import('node:https').RequestOptions, secure: boolean, name: string }} EngineAddress */

/**
 * Where the engine is: DOCKER_HOST as `unix://` or `tcp://`, else the usual socket.
 * Null when DOCKER_HOST is of another kind (ssh), which the host cannot use either.
 * @param {NodeJS.ProcessEnv} env
 * @returns {EngineAddress | null}
 */
export function engineAddress(env) {
  const host = env.DOCKER_HOST || `unix://${DEFAULT_SOCKET}`;
  if (host.startsWith('unix://')) {
    return { options: { socketPath: host.slice('unix://'.length) }, secure: false, name: host };
  }
  if (!host.startsWith('tcp://') || !URL.canParse(host)) return null;
  const { hostname, port } = new URL(host);
  if (!env.DOCKER_TLS_VERIFY) return { options: { host: hostname, port: port || 2375 }, secure: false, name: host };
  const folder = env.DOCKER_CERT_PATH || join(env.HOME ?? '', '.docker');
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFileSync(join(folder, name)));
  return { options: { host: hostname, port: port || 2376, ca, cert, key }, secure: true, name: host };
}

/**
 * @typedef {object} Call
 * @property {string} method
 * @property {string} path with its query
 * @property {import('node:stream').Readable} [body]
 * @property {Record<string, string>} [headers]
 * @property {number} timeoutMs silence on the connection that counts as failure
 */

/** @param {EngineAddress} address */
export function engineClient(address) {
  /**
   * The answer's stream. Throws EngineError, or the connection's own error.
   * @param {Call} call
   * @returns {Promise<import('node:http').IncomingMessage>}
   */
  const open = ({ method, path, body, headers, timeoutMs }) =>
    new Promise((resolve, reject) => {
      const send = address.secure ? httpsRequest : httpRequest;
      const request = send({ ...address.options, method, path, headers: { host: 'docker', ...headers } });
      request.setTimeout(timeoutMs, () =>
        request.destroy(new EngineError(`no answer for ${timeoutMs / 1000} s (${method} ${path.split('?')[0]})`, 504)),
      );
      request.on('error', reject);
      request.on('response', (response) => {
        const status = response.statusCode ?? 0;
        if (status < 400) resolve(response);
        else readAll(response).then((text) => reject(new EngineError(errorText(text), status)), reject);
      });
      if (body) body.on('error', (error) => request.destroy(error)).pipe(request);
      else request.end();
    });

  return {
    name: address.name,
    /**
     * The answer as text.
     * @param {Call} call
     */
    text: async (call) => readAll(await open(call)),
    /**
     * Calls `onEvent` for each progress event (one JSON object per line) and throws the error that a
     * failing build or pull reports in the middle of a successful answer.
     * @param {Call} call
     * @param {(event: Record<string, unknown>) => void} onEvent
     */
    async follow(call, onEvent) {
      const response = await open(call);
      let rest = '';
      for await (const chunk of response.setEncoding('utf8')) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) handleEvent(line, onEvent);
      }
      handleEvent(rest, onEvent);
    },
  };
}

/** @typedef {ReturnType<typeof engineClient>} EngineClient */

/**
 * @param {string} line
 * @param {(event: Record<string, unknown>) => void} onEvent
 */
function handleEvent(line, onEvent) {
  if (line.trim() === '') return;
  const event = JSON.parse(line);
  onEvent(event);
  if (event.error) throw new EngineError(String(event.errorDetail?.message ?? event.error), 500);
}

/** @param {import('node:stream').Readable} stream */
async function readAll(stream) {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}

/** @param {string} body the engine's answer to a refused call */
function errorText(body) {
  try {
    return String(JSON.parse(body).message ?? body);
  } catch (error) {
    if (error instanceof SyntaxError) return body.trim();
    throw error;
  }
}
