import { Hono, type Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { PermafrostError } from '../../core/errors.ts';
import { announcedLength, bodyOf } from '../../http/body.ts';
import { QUESTION, type PredictMany, type PredictOne, type Question } from '../api.ts';
import type { OpenHead } from '../heads.ts';
import type { Service } from '../service.ts';
import { servedAnswer } from '../served-answer.ts';
import { imagesOfForm, uploadKind, type UploadedImage } from '../uploads.ts';

/** A form is in memory as its bytes, as Node parses them, and as its files. */
const FORM_COPIES = 3;

/** What is asked in the address. Throws 400 for what is unknown there or out of range. */
function questionOf(c: Context): Question {
  const parsed = QUESTION.safeParse(c.req.query());
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue!.path.join('.');
  throw new HTTPException(400, { message: `${at === '' ? '' : `${at}: `}${issue!.message}.` });
}

/** Images to answers: one as the body, or a form of many. */
export function predictRoutes({ heads, limits, queue, metrics }: Service): Hono {
  const routes = new Hono();

  function headFor(name: string | undefined): OpenHead {
    const all = heads();
    const found = name === undefined ? all[0] : all.find((one) => one.name === name);
    if (found !== undefined) return found;
    const names = all.map((one) => one.name).join(', ');
    throw new HTTPException(404, { message: `There is no head ${JSON.stringify(name)}. There are: ${names}.` });
  }

  async function one(c: Context, head: OpenHead, bytes: Uint8Array, question: Question): Promise<Response> {
    const { neighbors } = question;
    try {
      const answer = await head.classifier.predict(bytes, { neighbors, signal: c.req.raw.signal });
      metrics.answered(head.name, answer.unknown);
      return c.json({ head: head.name, ...servedAnswer(answer, question) } satisfies PredictOne);
    } catch (error) {
      if (error instanceof PermafrostError && error.code.startsWith('IMAGE_')) metrics.failed(head.name);
      throw error;
    }
  }

  async function many(
    c: Context,
    head: OpenHead,
    images: readonly UploadedImage[],
    question: Question,
  ): Promise<Response> {
    const { neighbors } = question;
    const { signal } = c.req.raw;
    const found = await head.classifier.predict(
      images.map(({ bytes }) => bytes),
      { neighbors, signal },
    );
    const answers = found.map((answer, i): PredictMany['answers'][number] => {
      const { name } = images[i]!;
      if ('code' in answer) {
        metrics.failed(head.name);
        return { name, error: { code: answer.code, message: answer.reason } };
      }
      metrics.answered(head.name, answer.unknown);
      return { name, ...servedAnswer(answer, question) };
    });
    const failed = answers.filter((answer) => 'error' in answer).length;
    return c.json({ head: head.name, answers, failed } satisfies PredictMany, failed === answers.length ? 422 : 200);
  }

  async function predict(c: Context, name?: string): Promise<Response> {
    const question = questionOf(c);
    if (name !== undefined && question.head !== undefined)
      throw new HTTPException(400, { message: 'The head is named in the path: leave ?head= out.' });
    const head = headFor(name ?? question.head);
    const kind = uploadKind(c);
    const copies = kind === 'form' ? FORM_COPIES : 1;
    const place = queue.enter(copies * Math.min(announcedLength(c) ?? limits.bytes, limits.bytes));
    try {
      const body = await bodyOf(c, limits.bytes);
      place.holds(copies * body.length);
      if (body.length === 0)
        throw new HTTPException(400, { message: 'The body is empty: it must be the bytes of an image.' });
      if (kind === 'image') return await one(c, head, body, question);
      const images = await imagesOfForm(c, body);
      if (images.length > queue.most)
        throw new HTTPException(413, {
          message: `The form has ${images.length} images; one request may have ${queue.most}. Send them in several.`,
        });
      place.take(images.length - 1);
      return await many(c, head, images, question);
    } finally {
      place.leave();
    }
  }

  const onlyPost = (c: Context): never => {
    c.header('Allow', 'POST');
    throw new HTTPException(405, { message: 'Images are sent with POST.' });
  };
  routes.post('/predict', (c) => predict(c));
  routes.post('/heads/:name/predict', (c) => predict(c, c.req.param('name')));
  routes.all('/predict', onlyPost);
  routes.all('/heads/:name/predict', onlyPost);
  return routes;
}
