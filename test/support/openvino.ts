import { locateOpenVino } from '../../src/extract/engines/openvino/locate.ts';

/** Whether an OpenVINO is on this machine. Tests of it skip visibly where it is not. */
export const hasOpenVino = locateOpenVino().length > 0;

/** The name of a suite that runs OpenVINO, saying why it is skipped where it is. */
export function needsOpenVino(title: string): string {
  return hasOpenVino ? title : `${title} [skipped: OpenVINO is missing; run "npx permafrost engines add openvino"]`;
}
