import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createEngine, ENGINE_NAMES } from '../../../src/extract/engines/index.ts';

describe('the engine table', () => {
  it('makes each engine that it names', () => {
    expect(ENGINE_NAMES).toEqual(expect.arrayContaining(['onnxruntime', 'openvino']));
  });

  it('refuses an unknown name, saying the nearest and all choices', async () => {
    // @ts-expect-error -- a program without types
    const refused = createEngine('onnxruntim');
    await expect(refused).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(refused).rejects.toThrow(/did you mean "onnxruntime".*Choose one of: onnxruntime/);
    // @ts-expect-error -- as above
    await expect(createEngine('toString')).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('loads no inference runtime before an engine is made', () => {
    const script = `
      const table = await import('./dist/extract/engines/index.js');
      const before = process.report.getReport().sharedObjects.filter((path) => /onnxruntime|openvino_c|koffi/.test(path));
      await table.createEngine('onnxruntime');
      const after = process.report.getReport().sharedObjects.filter((path) => /onnxruntime|openvino_c|koffi/.test(path));
      console.log(JSON.stringify([before.length, after.length > 0]));`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(JSON.parse(printed)).toEqual([0, true]);
  });
});
