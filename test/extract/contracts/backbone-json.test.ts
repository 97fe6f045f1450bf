import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  backboneFromJson,
  backboneJson,
  readBackboneJson,
  type BackboneDescription,
} from '../../../src/extract/contracts/backbone-json.ts';
import { presetContract } from '../../../src/extract/contracts/presets.ts';
import { temporaryFolders } from '../../support/folders.ts';

const newFolder = temporaryFolders();
const DESCRIPTION: BackboneDescription = {
  name: 'dinov2-small',
  licence: 'Apache-2.0',
  source: 'a package',
  graph: { file: 'model.onnx', sha256: '0'.repeat(64), input: 'image', layout: 'NCHW', dtype: 'float32' },
  contract: presetContract('imagenet', 224),
  cuts: {
    last: { tensor: 'last_hidden_state', axes: 'tokens', prefix: 1 },
    pooled: { tensor: 'pooler', axes: 'vector' },
  },
  primary: 'last:cls',
};
const json = JSON.parse(backboneJson(DESCRIPTION)) as Record<string, object>;

describe('a backbone.json', () => {
  it('is read as it was written', async () => {
    const path = join(newFolder(), 'backbone.json');
    writeFileSync(path, backboneJson(DESCRIPTION));
    expect(await readBackboneJson(path)).toEqual(DESCRIPTION);
  });

  it('is one text for one meaning', () => {
    const { graph, contract, cuts, ...others } = DESCRIPTION;
    const { last, pooled } = cuts as Record<'last' | 'pooled', BackboneDescription['cuts'][string]>;
    const turned = {
      cuts: { pooled: { ...pooled, prefix: 0 }, last },
      contract: { ...contract, name: 'mine' },
      ...others,
      graph,
    };
    expect(backboneJson(turned)).toBe(backboneJson(DESCRIPTION));
    const written = backboneJson(DESCRIPTION);
    expect(backboneJson(backboneFromJson('', JSON.parse(written)))).toBe(written);
    expect(Object.keys(json)).toEqual([...Object.keys(json)].sort());
  });

  it.each([
    ['contract.size', { contract: { ...json['contract'], size: 0 } }],
    ['contract: resize', { contract: { ...json['contract'], resize: 100 } }],
    ['contract: antialias', { contract: { ...json['contract'], kernel: 'lanczos', antialias: false } }],
    ['contract: pad', { contract: { ...json['contract'], pad: [1, 2, 3] } }],
    ['contract: scale', { contract: { ...json['contract'], scale: [1, 0, 1] } }],
    ['contract: sharpen', { contract: { ...json['contract'], sharpen: 1 } }],
    ['contract: the content is missing', { contract: undefined }],
    ['graph.layout', { graph: { ...json['graph'], layout: 'CHWN' } }],
    ['graph.sha256', { graph: { ...json['graph'], sha256: 'abc' } }],
    ['cuts.last.prefix', { cuts: { last: { tensor: 'x', axes: 'vector', prefix: 1 } } }],
    ['primary', { primary: 'first:cls' }],
    ['pooling', { pooling: 'cls' }],
    ['permafrost', { permafrost: 'backbone/2' }],
  ])('is refused for its %s, with the file and the field', (field, change) => {
    let message = '';
    try {
      backboneFromJson('a/backbone.json', { ...json, ...change });
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONTRACT_INVALID' });
      ({ message } = error as Error);
    }
    expect(message).toContain('a/backbone.json');
    expect(message).toContain(field.replace('contract.size', 'contract: size'));
  });
});
