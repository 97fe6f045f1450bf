import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { bodyOf, jsonOf, leaveBodyUnread } from '../../src/http/body.ts';

const app = new Hono();
app.post('/json', async (c) => c.json(await jsonOf(c, z.strictObject({ axes: z.record(z.string(), z.string()) }))));
app.post('/body', async (c) => c.json((await bodyOf(c, 8, 50)).length));
app.post('/refused', (c) => {
  leaveBodyUnread(c);
  return c.body(null, 401);
});

const post = (path: string, body: string | Uint8Array | ReadableStream, headers: Record<string, string> = {}): Promise<Response> =>
  // A stream as a body is sent in one direction only.
  Promise.resolve(app.request(path, { method: 'POST', body, headers, ...{ duplex: 'half' } }));

describe('a JSON body', () => {
  it.each([
    ['{"axes":{"__proto__":"ridge"}}', '"__proto__"'],
    ['{"__proto__":{"axes":{}}}', '"__proto__"'],
    ['{"axes":{"head":"a\\ud800"}}', 'half a character'],
    ['{"axes":{"\\udc00":"a"}}', 'half a character'],
    [new Uint8Array([...Buffer.from('{"axes":{"a":"'), 0xff, ...Buffer.from('"}}')]), 'no JSON in UTF-8'],
    [`${'['.repeat(9000)}${']'.repeat(9000)}`, ''],
  ])('is refused where it is no plain text: %j', async (body, words) => {
    const answer = await post('/json', body);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(words);
  });

  it('may hold whatever is whole', async () => {
    const answer = await post('/json', '{"axes":{"constructor":"\\ud83d\\ude00"}}');
    expect(await answer.json()).toEqual({ axes: { constructor: '\u{1f600}' } });
  });
});

describe('a body', () => {
  it('that falls silent is given up', async () => {
    const silent = new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(2)) });
    const answer = await post('/body', silent);
    expect(answer.status).toBe(408);
    expect(await answer.text()).toContain('Nothing came of the body for 0.05 seconds');
  });

  it('whose sender goes is an error in words', async () => {
    const broken = new ReadableStream({ pull: (stream) => stream.error(new Error('ECONNRESET')) });
    expect((await post('/body', broken)).status).toBe(400);
  });

  it('is taken up to the limit, announced or not', async () => {
    const bytes = (n: number) => new Uint8Array(n);
    const stream = (n: number): ReadableStream => new Response(bytes(n)).body!;
    for (const [n, status] of [
      [0, 200],
      [8, 200],
      [9, 413],
    ] as const) {
      expect((await post('/body', bytes(n), { 'content-length': String(n) })).status).toBe(status);
      expect((await post('/body', stream(n))).status).toBe(status);
    }
  });

  it('that is refused unread ends its connection where it is long', async () => {
    const closing = async (headers: Record<string, string>): Promise<string | null> =>
      (await post('/refused', 'x', headers)).headers.get('connection');
    expect(await closing({ 'content-length': '1' })).toBeNull();
    expect(await closing({ 'content-length': '1000000' })).toBe('close');
    expect(await closing({ 'transfer-encoding': 'chunked' })).toBe('close');
  });
});
