// A service that says what is on an image, with Hono:
//   npm install hono @hono/node-server permafrost
//   node hono.mjs HEAD-OR-STORE [PORT]
//   curl -F image=@photo.jpg -F image=@other.jpg http://127.0.0.1:3000/classify
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { openClassifier } from 'permafrost';

const [source, port = '3000'] = process.argv.slice(2);
const classifier = await openClassifier(source);

const app = new Hono();
app.post('/classify', bodyLimit({ maxSize: 50e6 }), async (context) => {
  const { image = [] } = await context.req.parseBody({ all: true });
  const files = [image].flat().filter((file) => file instanceof File);
  const bytes = await Promise.all(files.map(async (file) => new Uint8Array(await file.arrayBuffer())));
  const answers = await classifier.predict(bytes);
  // Beside answers stand failures, which have a code and a reason.
  return context.json(files.map(({ name }, i) => ({ ...answers[i], name })));
});

const server = serve({ fetch: app.fetch, port: Number(port), hostname: '127.0.0.1' }, (at) => {
  console.log(`http://127.0.0.1:${at.port}`);
});
process.on('SIGTERM', () => server.close(() => classifier.close()));
