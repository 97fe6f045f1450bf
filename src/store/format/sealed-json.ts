import { canonicalJson, sha256Hex } from '../../core/digest.ts';

/** `document` as JSON text with the SHA-256 of its content (keys sorted) in `digest`: no byte changes unnoticed. */
export function sealJson(document: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ ...document, digest: sha256Hex(canonicalJson(document)) }, null, 1)}\n`;
}

/** Parsed JSON without its `digest`. Throws a plain Error where the content is not what was sealed. */
export function unseal(json: unknown): Record<string, unknown> {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) throw new Error('it is no object');
  const { digest, ...document } = json as Record<string, unknown>;
  if (digest !== sha256Hex(canonicalJson(document)))
    throw new Error('its digest is not that of its content, so something in it was changed');
  return document;
}

/** As unseal, but throws too where only the text is not what sealJson wrote: a space that became a tab. */
export function unsealExactly(text: string): Record<string, unknown> {
  const document = unseal(JSON.parse(text));
  if (text !== sealJson(document)) throw new Error('its content is whole, but not as it was written');
  return document;
}
