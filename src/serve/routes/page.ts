import { Hono } from 'hono';
import { TOKENS } from '../../report/html/tokens.ts';
import { openApi } from '../openapi.ts';
import { PAGE } from '../page/page.ts';
import { STYLE } from '../page/style.ts';

/** The page to try the service, its OpenAPI document, and nothing from elsewhere. `script`: the text of client.js. */
export function pageRoutes(script: string): Hono {
  const routes = new Hono();
  const text = JSON.stringify(openApi());
  routes.get('/', (c) => c.html(PAGE));
  routes.get('/style.css', (c) => c.body(TOKENS + STYLE, 200, { 'Content-Type': 'text/css; charset=utf-8' }));
  routes.get('/client.js', (c) => c.body(script, 200, { 'Content-Type': 'text/javascript; charset=utf-8' }));
  routes.get('/openapi.json', (c) => c.body(text, 200, { 'Content-Type': 'application/json' }));
  return routes;
}
