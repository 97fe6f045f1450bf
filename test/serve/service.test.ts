import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClassifier } from '../../src/workflows/classifier/classifier.ts';
import { ANSWERS, type Fault, type PredictMany, type PredictOne } from '../../src/serve/api.ts';
import { serve, type RunningService } from '../../src/serve/serve.ts';
import { blackPng } from '../support/black-png.ts';
import { temporaryFolders } from '../support/folders.ts';
import { CUT, raw, type RawAnswer, type RawRequest } from '../support/http.ts';
import { servedStore, type ServedStore } from '../support/service.ts';

const folder = temporaryFolders();
let made: ServedStore;
let service: RunningService;

const MAX_BYTES = 200_000;

beforeAll(async () => {
  made = await servedStore(folder());
  service = await serve([`stripes=${made.logistic}`, `near=${made.centroid}`], {
    port: 0,
    engine: 'onnxruntime',
    maxBytes: '0.2MB',
    maxMegapixels: 1,
    queue: 12,
  });
}, 120_000);
afterAll(async () => {
  await service?.close();
});

type Bytes = Uint8Array<ArrayBuffer>;
const bytesOf = (path: string): Bytes => new Uint8Array(readFileSync(path));
const jsonOf = <T>({ body }: RawAnswer): T => JSON.parse(body.toString()) as T;
const ask = (path: string, given: Omit<RawRequest, 'path'> = {}, port = service.port): Promise<RawAnswer> =>
  raw(port, { path, ...given });

/** Asks about one image. */
const askOne = (query: string, body: Uint8Array, headers: Record<string, string> = { 'content-type': 'image/png' }) =>
  ask(`/predict${query}`, { method: 'POST', headers, body });

type Files = readonly (readonly [name: string, bytes: Bytes])[];

async function formOf(files: Files): Promise<{ headers: { 'content-type': string }; body: Bytes }> {
  const form = new FormData();
  for (const [name, bytes] of files) form.append('image', new Blob([bytes]), name);
  const encoded = new Response(form);
  const headers = { 'content-type': encoded.headers.get('content-type')! };
  return { headers, body: new Uint8Array(await encoded.arrayBuffer()) };
}

/** Asks about a form of named files. */
const askMany = async (query: string, files: Files): Promise<RawAnswer> =>
  ask(`/predict${query}`, { method: 'POST', ...(await formOf(files)) });

/** The value of a series of /metrics; 0 where there is none. */
async function metric(series: string, port = service.port): Promise<number> {
  const text = (await ask('/metrics', {}, port)).body.toString();
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

/** Waits, however long it takes, until a condition holds. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('the service answers', () => {
  it('one image as the classifier does, with the likeliest classes first', async () => {
    const classifier = await openClassifier(made.logistic, { engine: 'onnxruntime' });
    try {
      for (const label of ['across', 'down']) {
        const bytes = bytesOf(made.image(label));
        const expected = await classifier.predict(bytes, { neighbors: 2 });
        const answer = await askOne('?neighbors=2&top=1', bytes);
        expect(answer.status).toBe(200);
        const found = ANSWERS.PredictOne.strict().parse(jsonOf(answer));
        expect(found.head).toBe('stripes');
        expect(found.label).toBe(expected.label);
        expect(found.probability).toBeCloseTo(expected.probability, 5);
        expect(found.unknown).toBe(expected.unknown);
        expect(found.top).toEqual([{ label: found.label, probability: found.probability }]);
        expect(found.neighbors.map(({ path }) => path)).toEqual(expected.neighbors.map(({ path }) => path));
        const all = jsonOf<PredictOne>(await askOne('?top=0', bytes)).top;
        expect(all.map(({ label }) => label).sort()).toEqual(['across', 'down']);
        expect(all[0]!.probability).toBeGreaterThanOrEqual(all[1]!.probability);
      }
    } finally {
      await classifier.close();
    }
  });

  it('bytes that come without a type, or in chunks without a length', async () => {
    const bytes = bytesOf(made.image('down'));
    expect((await askOne('', bytes, {})).status).toBe(200);
    const chunks = [bytes.subarray(0, 100), bytes.subarray(100)];
    const answer = await ask('/predict', { method: 'POST', headers: {}, body: chunks });
    expect(jsonOf<PredictOne>(answer).head).toBe('stripes');
  });

  it('a form of many in its order, with a fault in the place of what is no image', async () => {
    const [across, down] = ['across', 'down'].map((label) => bytesOf(made.image(label, 1)));
    const files = [
      ['a.png', across],
      ['broken.jpg', new Uint8Array([1, 2, 3])],
      ['ü b.png', down],
    ] as const;
    const answer = await askMany('?top=1', files as unknown as [string, Bytes][]);
    expect(answer.status).toBe(200);
    const { answers, failed } = ANSWERS.PredictMany.parse(jsonOf(answer));
    expect(failed).toBe(1);
    expect(answers.map(({ name }) => name)).toEqual(['a.png', 'broken.jpg', 'ü b.png']);
    expect(answers[1]).toMatchObject({ error: { code: 'IMAGE_UNDECODABLE' } });
    for (const [i, bytes] of [across, undefined, down].entries()) {
      if (bytes === undefined) continue;
      const alone = jsonOf<PredictOne>(await askOne('?top=1', bytes));
      expect(answers[i]).toMatchObject({ label: alone.label, unknown: alone.unknown });
    }
    const none = await askMany('', [['broken.jpg', new Uint8Array([1])]]);
    expect(none.status).toBe(422);
    expect(jsonOf<PredictMany>(none).failed).toBe(1);
  });

  it('by several heads, the first where none is named', async () => {
    const bytes = bytesOf(made.image('across'));
    const { heads } = ANSWERS.Heads.parse(jsonOf(await ask('/heads')));
    expect(heads.map(({ name, head }) => [name, head])).toEqual([
      ['stripes', 'logistic'],
      ['near', 'centroid'],
    ]);
    expect(JSON.stringify(heads)).not.toContain(made.store);
    expect(service.heads).toEqual(heads);
    expect(jsonOf(await ask('/heads/near'))).toEqual(heads[1]);
    expect(jsonOf<PredictOne>(await askOne('', bytes)).head).toBe('stripes');
    expect(jsonOf<PredictOne>(await askOne('?head=near', bytes)).head).toBe('near');
    const by = await ask('/heads/near/predict', { method: 'POST', body: bytes });
    expect(jsonOf<PredictOne>(by).head).toBe('near');
  });

  it('many at the same time, each its own', async () => {
    const images = ['across', 'down'].flatMap((label) => [0, 1, 2, 3].map((i) => made.image(label, i)));
    const alone: string[] = [];
    for (const path of images) alone.push(jsonOf<PredictOne>(await askOne('', bytesOf(path))).label);
    const together = await Promise.all(images.map(async (path) => askOne('', bytesOf(path))));
    expect(together.map((answer) => jsonOf<PredictOne>(answer).label)).toEqual(alone);
    expect(new Set(alone).size).toBe(2);
  });

  it('probes and Prometheus', async () => {
    expect(ANSWERS.Health.parse(jsonOf(await ask('/healthz'))).status).toBe('ok');
    expect(jsonOf(await ask('/readyz'))).toEqual({ status: 'ready' });
    const before = await metric('permafrost_images_total{head="near",outcome="known"}');
    const unknown = await metric('permafrost_images_total{head="near",outcome="unknown"}');
    const count = await metric('permafrost_predict_seconds_count');
    await askOne('?head=near', bytesOf(made.image('across')));
    const after = await metric('permafrost_images_total{head="near",outcome="known"}');
    expect(after + (await metric('permafrost_images_total{head="near",outcome="unknown"}'))).toBe(before + unknown + 1);
    expect(await metric('permafrost_predict_seconds_count')).toBe(count + 1);
    expect(await metric('permafrost_queue_limit')).toBe(12);
    const text = (await ask('/metrics')).body.toString();
    expect(text).toMatch(
      /permafrost_head_info\{head="near",kind="centroid",digest="[0-9a-f]{64}",backbone="vgg16",engine="onnxruntime",device="cpu",precision="fp32"\} 1/,
    );
    expect(await metric('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });
});

describe('the service refuses', () => {
  it.each([
    ['an address that asks what is not known', '?tops=3', 400, 'REQUEST_INVALID', /tops/],
    ['a number out of range', '?top=-1', 400, 'REQUEST_INVALID', /top/],
    ['too many neighbours', '?neighbors=101', 400, 'REQUEST_INVALID', /neighbors/],
    ['a head that is not there', '?head=no', 404, 'NOT_FOUND', /"no".*stripes, near/],
  ])('%s', async (_, query, status, code, message) => {
    const answer = await askOne(query, bytesOf(made.image('across')));
    expect(answer.status).toBe(status);
    expect(ANSWERS.Fault.parse(jsonOf(answer))).toEqual({
      error: { code, message: expect.stringMatching(message) as string },
    });
  });

  it('bodies of other types, empty ones, other methods, other addresses', async () => {
    const bytes = bytesOf(made.image('across'));
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
      const answer = await askOne('', bytes, { 'content-type': type });
      expect([type, answer.status]).toEqual([type, 415]);
      expect(jsonOf<Fault>(answer).error.message).toContain('multipart/form-data');
    }
    expect((await askOne('', new Uint8Array(0))).status).toBe(400);
    const form = { 'content-type': 'multipart/form-data; boundary=x' };
    expect((await askOne('', bytes, form)).status).toBe(400);
    const text = Buffer.from('--x\r\ncontent-disposition: form-data; name="top"\r\n\r\n3\r\n--x--\r\n');
    const field = await askOne('', text, form);
    expect(field.status).toBe(400);
    expect(jsonOf<Fault>(field).error.message).toContain('"top"');
    const got = await ask('/predict');
    expect([got.status, got.headers.allow]).toEqual([405, 'POST']);
    expect((await ask('/nothing')).status).toBe(404);
  });

  it('what is no image, with the code that a failed image has everywhere', async () => {
    const whole = bytesOf(made.image('across'));
    for (const bytes of [Buffer.from('hello'), whole.subarray(0, whole.length / 2)]) {
      const answer = await askOne('', bytes);
      expect(answer.status).toBe(422);
      expect(jsonOf<Fault>(answer).error.code).toBe('IMAGE_UNDECODABLE');
    }
  });

  it('a path in place of an image: bytes are never taken for the name of a file', async () => {
    const answer = await askOne('', Buffer.from(made.image('across')), { 'content-type': 'application/octet-stream' });
    expect(answer.status).toBe(422);
  });

  it('bodies and images that are too large, before they are in memory', async () => {
    const large = new Uint8Array(MAX_BYTES + 1);
    const announced = await askOne('', large);
    // A server that does not read the rest closes the connection; which of the two the client meets first is chance.
    expect([413, CUT]).toContain(announced.status);
    const head = { method: 'POST', path: '/predict', headers: { 'content-length': String(MAX_BYTES + 1) } };
    const early = request({ host: '127.0.0.1', port: service.port, agent: false, ...head });
    const status = await new Promise((resolve, reject) => {
      early.on('error', reject).once('response', (response) => resolve(response.statusCode));
      early.flushHeaders();
    });
    early.destroy();
    expect(status).toBe(413);
    const chunked = await ask('/predict', {
      method: 'POST',
      body: Array.from({ length: 30 }, () => new Uint8Array(10_000)),
    });
    expect([413, CUT]).toContain(chunked.status);
    const bomb = await askOne('', blackPng(1001, 1000));
    expect(bomb.status).toBe(422);
    expect(jsonOf<Fault>(bomb).error.message).toMatch(/pixels/);
    expect((await askOne('', blackPng(1000, 1000))).status).toBe(200);
  });

  it('more images than may wait, for now (429) or for ever (413), and goes on', async () => {
    const one = bytesOf(made.image('across'));
    const forever = await askMany(
      '',
      Array.from({ length: 13 }, (_, i) => [`${i}.png`, one] as const),
    );
    expect(forever.status).toBe(413);
    // A body that is being sent has its place.
    const slow = request({ host: '127.0.0.1', port: service.port, method: 'POST', path: '/predict', agent: false });
    const answered = new Promise((resolve, reject) => {
      slow.on('error', reject).once('response', (response) => resolve(response.resume().statusCode));
    });
    slow.write(one.subarray(0, 50));
    await until(async () => (await metric('permafrost_queue_images')) === 1);
    const full = await askMany(
      '',
      Array.from({ length: 12 }, (_, i) => [`${i}.png`, one] as const),
    );
    expect(full.status).toBe(429);
    expect(Number(full.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(jsonOf<Fault>(full).error.code).toBe('QUEUE_FULL');
    slow.end(one.subarray(50));
    expect(await answered).toBe(200);
    expect(await metric('permafrost_queue_images')).toBe(0);
    const now = await askMany(
      '',
      Array.from({ length: 12 }, (_, i) => [`${i}.png`, one] as const),
    );
    expect(jsonOf<PredictMany>(now).answers).toHaveLength(12);
  });

  it('nobody who has gone: the work of a client that leaves is given up', async () => {
    const gone = 'permafrost_requests_total{route="predict",status="499"}';
    const before = await metric(gone);
    const bytes = bytesOf(made.image('down'));
    const leaving = request({ host: '127.0.0.1', port: service.port, method: 'POST', path: '/predict', agent: false });
    leaving.on('error', () => undefined); // it is ended here, on purpose
    leaving.write(bytes.subarray(0, 50));
    await until(async () => (await metric('permafrost_queue_images')) === 1);
    leaving.destroy();
    await until(async () => (await metric(gone)) === before + 1);
    expect(await metric('permafrost_queue_images')).toBe(0);
    expect((await askOne('', bytes)).status).toBe(200);
  });

  it('nobody who has gone, whose images the network has already', async () => {
    const gone = 'permafrost_requests_total{route="predict",status="499"}';
    const outcomes = ['known', 'unknown'].map(
      (outcome) => `permafrost_images_total{head="stripes",outcome="${outcome}"}`,
    );
    const answered = async (): Promise<number> => {
      const counts: number[] = [];
      for (const series of outcomes) counts.push(await metric(series));
      return counts[0]! + counts[1]!;
    };
    const bytes = bytesOf(made.image('down'));
    const { headers, body } = await formOf(Array.from({ length: 12 }, (_, i) => [`${i}.png`, bytes] as const));
    const before = await metric(gone);
    // Once more where all were answered before anybody could leave.
    for (let left = false; !left;) {
      const at = await answered();
      const leaving = request({
        host: '127.0.0.1',
        port: service.port,
        method: 'POST',
        path: '/predict',
        agent: false,
        headers,
      });
      leaving.on('error', () => undefined).once('response', (response) => response.resume());
      leaving.end(body);
      let waiting = 0;
      await until(async () => (waiting = await metric('permafrost_queue_images')) === 12 || (await answered()) > at);
      left = waiting === 12;
      leaving.destroy();
      if (!left) continue;
      await until(async () => (await metric(gone)) > before || (await answered()) > at);
      left = (await metric(gone)) === before + 1;
      if (left) expect(await answered()).toBe(at);
    }
    expect(await metric('permafrost_queue_images')).toBe(0);
  });
});

describe('who may ask', () => {
  it('programs and its own page, under its own name', async () => {
    const bytes = bytesOf(made.image('across'));
    const asked = async (headers: Record<string, string>): Promise<number> => (await askOne('', bytes, headers)).status;
    expect(await asked({ host: `localhost:${service.port}` })).toBe(200);
    expect(await asked({ origin: `http://127.0.0.1:${service.port}` })).toBe(200);
    for (const headers of [
      { host: 'evil.example' },
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ] as Record<string, string>[])
      expect([headers, await asked(headers)]).toEqual([headers, 403]);
  });

  it('who knows the token, where there is one; probes and the page need none', async () => {
    const other = await serve([made.logistic], { port: 0, engine: 'onnxruntime', token: 'let me in' });
    try {
      const get = (path: string, headers: Record<string, string> = {}): Promise<RawAnswer> =>
        ask(path, { headers }, other.port);
      for (const path of ['/heads', '/metrics', '/predict', '/nothing']) {
        const answer = await get(path);
        expect([path, answer.status]).toEqual([path, 401]);
        expect(answer.headers['www-authenticate']).toBe('Bearer');
      }
      for (const token of ['', 'let me', 'let me in!']) {
        expect((await get('/heads', { authorization: `Bearer ${token}` })).status).toBe(401);
      }
      expect((await get('/heads', { authorization: 'Bearer let me in' })).status).toBe(200);
      for (const path of ['/', '/style.css', '/client.js', '/openapi.json', '/healthz', '/readyz'])
        expect([path, (await get(path)).status]).toEqual([path, 200]);
    } finally {
      await other.close();
    }
  });

  it('everybody only on request, where other machines reach the address', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.0.1'])
      await expect(serve([made.logistic], { host, port: 0 })).rejects.toMatchObject({
        code: 'OPTION_INVALID',
        message: expect.stringMatching(/--token.*--insecure/) as string,
      });
  });
});

describe('what cannot be served', () => {
  it('is said before a network is loaded', async () => {
    await expect(serve([made.logistic], { port: service.port })).rejects.toThrow(/cannot listen.*--port/);
    await expect(serve([])).rejects.toThrow(/at least one head/);
    await expect(serve([`${made.store}/nothing.safetensors`], { port: 0 })).rejects.toMatchObject({
      code: 'HEAD_CORRUPT',
    });
  });
});
