import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contractForFile, type ContractRequest } from '../../../src/extract/contracts/contract-for-file.ts';
import { presetContract } from '../../../src/extract/contracts/presets.ts';
import { temporaryFolders } from '../../support/folders.ts';

const newFolder = temporaryFolders();
const VIT = { image_processor_type: 'ViTImageProcessor', size: { height: 224, width: 224 } };
const SIGLIP = { image_processor_type: 'SiglipImageProcessor', size: { height: 224, width: 224 } };
const TIMM = { architecture: 'resnet50', pretrained_cfg: { input_size: [3, 224, 224], crop_pct: 0.875 } };
const DIGEST = 'a'.repeat(64);
const BACKBONE = {
  permafrost: 'backbone/1',
  graph: { file: 'model.onnx', sha256: DIGEST, input: 'image', layout: 'NCHW', dtype: 'float32' },
  contract: { size: 224, geometry: 'squash', kernel: 'bicubic', channelOrder: 'RGB', mean: [1, 2, 3], scale: 0.5 },
  cuts: { last: { tensor: 'features', axes: 'vector' } },
  primary: 'last:avg',
};
const SIGLIP_224 = presetContract('siglip', 224);

/** An ONNX file's path, with descriptions beside it and one folder up. */
function onnxWith(beside: Record<string, unknown> = {}, above: Record<string, unknown> = {}): string {
  const folder = join(newFolder(), 'onnx');
  mkdirSync(folder);
  const write = (place: string, files: Record<string, unknown>): void => {
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(place, name), typeof content === 'string' ? content : JSON.stringify(content));
  };
  write(folder, beside);
  write(dirname(folder), above);
  return join(folder, 'model.onnx');
}

const find = (path: string, request: Partial<ContractRequest> = {}) =>
  contractForFile(path, { contract: '', size: undefined, metadata: new Map(), ...request });

describe('the contract of a network', () => {
  it('is read from what lies beside the file, and says from which', async () => {
    const found = await find(onnxWith({ 'preprocessor_config.json': SIGLIP }));
    expect(found.contract).toEqual(SIGLIP_224);
    expect(found.from).toContain('onnx/preprocessor_config.json (transformers)');
    expect(found.notes).toEqual([]);
  });

  it('is read one folder up, where nothing lies beside the file', async () => {
    const found = await find(onnxWith({}, { 'preprocessor_config.json': SIGLIP }));
    expect(found.contract).toEqual(SIGLIP_224);
  });

  it.each([
    ['backbone.json', { 'backbone.json': BACKBONE, 'preprocessor_config.json': VIT, 'config.json': TIMM }, 'custom'],
    ['preprocessor_config.json', { 'preprocessor_config.json': SIGLIP, 'config.json': TIMM }, 'siglip'],
    ['processor_config.json', { 'processor_config.json': { image_processor: SIGLIP }, 'config.json': TIMM }, 'siglip'],
    ['preprocess_cfg.json', { 'preprocess_cfg.json': { resize_mode: 'shortest' }, 'config.json': TIMM }, 'clip'],
    [
      'open_clip_config.json',
      {
        'open_clip_config.json': { model_cfg: { vision_cfg: { image_size: 224 } }, preprocess_cfg: {} },
        'config.json': TIMM,
      },
      'clip',
    ],
    ['config.json', { 'config.json': TIMM }, 'imagenet'],
  ])('comes from %s before those after it', async (file, beside, name) => {
    const found = await find(onnxWith(beside));
    expect(found.from).toContain(file);
    expect(found.contract.name).toBe(name);
  });

  it('is what the user named before all files, and what contradicts it is said', async () => {
    const path = onnxWith({ 'preprocessor_config.json': SIGLIP }, { 'config.json': TIMM });
    const found = await find(path, { contract: 'imagenet', size: 224 });
    expect(found.contract).toEqual(presetContract('imagenet', 224));
    expect(found.from).toBe("the preset imagenet (224 pixels, the input's own)");
    expect(found.notes).toHaveLength(1);
    expect(found.notes[0]).toMatch(
      /preprocessor_config\.json \(transformers\) says otherwise \(.*geometry: "squash", not "cover-crop".*the preset imagenet .* counts\.$/,
    );
  });

  it('is a file of any of these kinds that the user named', async () => {
    const path = onnxWith();
    const file = join(dirname(path), 'mine.json');
    for (const [content, name] of [
      [SIGLIP, 'siglip'],
      [TIMM, 'imagenet'],
      [{ resize_mode: 'shortest' }, 'clip'],
      [BACKBONE, 'custom'],
      [BACKBONE.contract, 'custom'],
    ] as const) {
      writeFileSync(file, JSON.stringify(content));
      const found = await find(path, { contract: file });
      expect(found.contract.name).toBe(name);
      expect(found.from).toContain('mine.json');
    }
  });

  it('of a description that cannot be followed does not end a run that another one counts for', async () => {
    const found = await find(onnxWith({ 'preprocessor_config.json': { ...VIT, do_pad: true } }), { contract: 'raw' });
    expect(found.notes).toEqual([
      expect.stringMatching(/is not followed \(.*do_pad is true.*; the preset raw .* counts\./),
    ]);
  });

  it('is in the metadata of the file, where nothing lies beside it', async () => {
    const { contract } = BACKBONE;
    const own = await find(onnxWith(), { metadata: new Map([['permafrost', JSON.stringify({ contract, head: 1 })]]) });
    expect(own.contract).toMatchObject({ mean: [1, 2, 3], scale: 0.5, orientation: 'exif', alpha: 'white' });
    expect(own.from).toBe('the metadata "permafrost" of model.onnx');
    const exported = new Map([
      ['hf_preprocessor_config', JSON.stringify(SIGLIP)],
      ['names', '{0: "ant"}'],
    ]);
    expect((await find(onnxWith(), { metadata: exported })).contract).toEqual(SIGLIP_224);
  });

  it('is never guessed: the presets and the shape of the input are named', async () => {
    const input = 'image float32 [batch, 3, 224, 224]';
    const failure = await find(onnxWith({ 'config.json': { model_type: 'vit' } }), { input }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'CONTRACT_MISSING' });
    for (const text of [input, 'imagenet', 'clip', 'siglip', 'inception', 'caffe', 'tf', 'raw', '--contract'])
      expect((failure as Error).message).toContain(text);
  });

  it("has the size of the network's input, or is refused with both", async () => {
    await expect(find(onnxWith({ 'preprocessor_config.json': SIGLIP }), { size: 384 })).rejects.toMatchObject({
      code: 'CONTRACT_INVALID',
      message: expect.stringMatching(/preprocessor_config\.json.*size is 224.*384 pixels/) as string,
    });
    const tested = {
      ...TIMM,
      pretrained_cfg: { ...TIMM.pretrained_cfg, test_input_size: [3, 288, 288], test_crop_pct: 1 },
    };
    expect((await find(onnxWith({ 'config.json': tested }), { size: 288 })).contract).toMatchObject({ size: 288 });
    expect((await find(onnxWith({ 'config.json': tested }), { size: 288 })).contract.resize).toBeUndefined();
    expect((await find(onnxWith({ 'config.json': tested }))).contract).toMatchObject({ size: 224, resize: 256 });
    expect((await find(onnxWith(), { contract: 'clip', size: 336 })).contract).toEqual(presetContract('clip', 336));
    expect((await find(onnxWith(), { contract: 'clip' })).from).toContain(
      "224 pixels, taken because the input's size is open",
    );
  });

  it('of a name that is neither preset nor file is refused with the nearest', async () => {
    await expect(find(onnxWith(), { contract: 'imagnet' })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('did you mean "imagenet"') as string,
    });
  });

  it.each([
    ['{', /preprocessor_config\.json cannot be read: .*JSON/],
    ['['.repeat(1000) + ']'.repeat(1000), /more than 32 levels deep/],
    [`{"size": ${'9'.repeat(2 ** 20)}}`, /above the 1048576 that are read/],
    ['[]', /preprocessor_config\.json: /],
    ['{"image_processor_type": 7}', /image_processor_type is 7/],
  ])('of a damaged file, %j, is refused with its name', async (content, message) => {
    await expect(find(onnxWith({ 'preprocessor_config.json': content }))).rejects.toMatchObject({
      code: 'CONTRACT_INVALID',
      message: expect.stringMatching(message) as string,
    });
  });

  it('passes over a config.json of another program, whatever it holds', async () => {
    for (const content of ['// no JSON', '{"architectures": ["ViTModel"]}', '7'])
      for (const name of ['config.json', 'processor_config.json'])
        await expect(find(onnxWith({ [name]: content }))).rejects.toMatchObject({ code: 'CONTRACT_MISSING' });
  });
});

describe('a backbone.json', () => {
  it('gives all that it says of this file, by name or by digest', async () => {
    const path = onnxWith({ 'backbone.json': BACKBONE });
    expect((await find(path)).backbone).toMatchObject({ graph: BACKBONE.graph, primary: 'last:avg' });
    const renamed = onnxWith({ 'backbone.json': { ...BACKBONE, graph: { ...BACKBONE.graph, file: 'other.onnx' } } });
    expect((await find(renamed, { digest: DIGEST })).backbone).toBeDefined();
  });

  it('of another file is not looked at', async () => {
    const path = onnxWith({ 'backbone.json': { ...BACKBONE, graph: { ...BACKBONE.graph, file: 'other.onnx' } } });
    await expect(find(path, { digest: 'b'.repeat(64) })).rejects.toMatchObject({ code: 'CONTRACT_MISSING' });
  });

  it('of a file that has changed since is refused', async () => {
    await expect(find(onnxWith({ 'backbone.json': BACKBONE }), { digest: 'b'.repeat(64) })).rejects.toMatchObject({
      code: 'CONTRACT_INVALID',
      message: expect.stringMatching(/graph\.sha256.*--write/s) as string,
    });
  });
});
