import { choiceOption } from '../../../core/options.ts';

/** The option `allowEngine` of what asks for features like stored ones. */
export const ALLOW_ENGINE_OPTION = choiceOption(
  ['checked', 'int8', 'none'],
  'checked',
  'whether an engine of another class than that of the features may answer where theirs is missing or another is named: checked: fp32 and bf16 for each other, once their answers agree on images; int8: also from and to int8; none: never',
);
export type AllowEngine = (typeof ALLOW_ENGINE_OPTION)['default'];

const isInt8 = (engineClass: string): boolean => engineClass.split('/')[2] === 'int8';

/** Whether an engine of one class may answer for another's features, once they were compared. */
export const mayStandIn = (other: string, own: string, allow: AllowEngine): boolean =>
  allow === 'int8' || (allow === 'checked' && !isInt8(other) && !isInt8(own));

/** How another engine would be allowed, in a sentence. */
export const howToAllow = (other: string, own: string): string =>
  `To let another engine answer once it was compared with theirs, add --allow-engine ${isInt8(other) || isInt8(own) ? 'int8' : 'checked'}.`;
