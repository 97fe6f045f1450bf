import { doctorText } from '../../report/answers/answer-report.ts';
import type { CommandSpec } from '../program.ts';

export const doctorCommand: CommandSpec = {
  name: 'doctor',
  summary: 'versions, engines and packages found, what would be used and why',
  arguments: [],
  options: {},
  async act() {
    const { doctor } = await import('../../workflows/engines/doctor.ts');
    const result = await doctor();
    return { json: result, text: doctorText(result) };
  },
};
