// HTTP/1.1 on a raw socket: what a server library would hide is what the tests are about.
const maxHead = 64 * 1024;

export class BadRequest extends Error {}

// Calls handle(request) for each request, one after the other; its promise delays the next.
// request: { method, url, headers (lower case), body (text) }
export function readRequests(socket, handle) {
  let bytes = Buffer.alloc(0);
  let busy = false;
  const next = async () => {
    if (busy) return;
    busy = true;
    try {
      for (let found; (found = take(bytes, socket));) {
        bytes = bytes.subarray(found.length);
        await handle(found.request);
      }
    } catch (error) {
      socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      if (!(error instanceof BadRequest)) throw error;
    } finally {
      busy = false;
    }
  };
  socket.on('data', (data) => {
    bytes = Buffer.concat([bytes, data]);
    next();
  });
}

// The first whole request in bytes and its length, or undefined while it is incomplete.
function take(bytes, socket) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) {
    if (bytes.length > maxHead) throw new BadRequest('the head is too long');
    return undefined;
  }
  const [first, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const [, method, url] = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(first) ?? [];
  if (!method) throw new BadRequest(`not a request line: ${first}`);
  const headers = Object.fromEntries(lines.map((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()];
  }));
  const start = end + 4;
  const body = /chunked/i.test(headers['transfer-encoding'] ?? '') ? takeChunks(bytes, start) : takeLength(bytes, start, headers);
  if (!body) {
    if (/100-continue/i.test(headers.expect ?? '') && bytes.length === start) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    return undefined;
  }
  return { request: { method, url, headers, body: body.text }, length: body.end };
}

function takeLength(bytes, start, headers) {
  const length = Number(headers['content-length'] ?? 0);
  if (!Number.isInteger(length) || length < 0) throw new BadRequest('Content-Length is not a number');
  const end = start + length;
  return bytes.length < end ? undefined : { text: bytes.toString('utf8', start, end), end };
}

function takeChunks(bytes, start) {
  const parts = [];
  for (let at = start; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = parseInt(bytes.toString('latin1', at, line), 16);
    if (Number.isNaN(size)) throw new BadRequest('a chunk has no size');
    const data = line + 2;
    if (bytes.length < data + size + 2) return undefined;
    if (size === 0) return { text: Buffer.concat(parts).toString('utf8'), end: data + 2 };
    parts.push(bytes.subarray(data, data + size));
    at = data + size + 2;
  }
}

const reasons = {
  200: 'OK', 201: 'Created', 204: 'No Content', 302: 'Found', 307: 'Temporary Redirect', 308: 'Permanent Redirect', 400: 'Bad Request', 401: 'Unauthorized',
  403: 'Forbidden', 404: 'Not Found', 409: 'Conflict', 410: 'Gone', 412: 'Precondition Failed', 422: 'Unprocessable Entity',
  429: 'Too Many Requests', 500: 'Internal Server Error', 502: 'Bad Gateway', 503: 'Service Unavailable', 504: 'Gateway Timeout',
};

// body: an object becomes FHIR JSON, a string goes as it is.
export function formatReply({ status, headers = {}, body }) {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const type = body?.resourceType ? 'application/fhir+json; charset=utf-8' : 'application/json';
  const all = {
    Date: new Date().toUTCString(),
    ...(text ? { 'Content-Type': type } : {}),
    'Content-Length': Buffer.byteLength(text),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reasons[status] ?? 'Status'}\r\n${lines.join('')}\r\n${text}`;
}
