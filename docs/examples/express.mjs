// A service that says what is on an image, with Express:
//   npm install express permafrost
//   node express.mjs HEAD-OR-STORE [PORT]
//   curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg' http://127.0.0.1:3000/classify
import express from 'express';
import { openClassifier, PermafrostError } from 'permafrost';

const [source, port = '3000'] = process.argv.slice(2);
const classifier = await openClassifier(source);

const app = express();
app.post('/classify', express.raw({ type: 'image/*', limit: '20mb' }), async (request, response) => {
  if (!Buffer.isBuffer(request.body)) return response.status(415).json({ message: 'Send an image, as image/jpeg.' });
  try {
    const { label, probability, unknown } = await classifier.predict(request.body);
    response.json({ label, probability, unknown });
  } catch (error) {
    if (!(error instanceof PermafrostError) || !error.code.startsWith('IMAGE_')) throw error;
    response.status(422).json({ code: error.code, message: error.message });
  }
});

const server = app.listen(Number(port), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
process.on('SIGTERM', () => server.close(() => classifier.close()));
