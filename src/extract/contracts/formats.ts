import type { Contract } from '../../core/contract.ts';
import { BACKBONE_FILE, backboneFromJson, BACKBONE_FORMAT, type BackboneDescription } from './backbone-json.ts';
import { contractFromJson } from './contract-json.ts';
import { contractFromOpenClip, contractFromOpenClipModel } from './open-clip.ts';
import { contractFromTimm, isTimmConfig } from './timm.ts';
import { contractFromTransformers } from './transformers.ts';

/** What a description says; all of a backbone where it is a backbone.json. */
export interface Description {
  readonly contract: Contract;
  readonly backbone?: BackboneDescription;
}

/** A kind of description, and the file in which it lies beside a network. */
interface Format {
  /** Whose it is, in words. */
  readonly by: string;
  /** Its file's name; absent where it is only ever given by name. */
  readonly file?: string;
  /** Whether files of that name are also something else: those are passed over. */
  readonly isAmongOthers?: true;
  readonly isOne: (json: Readonly<Record<string, unknown>>) => boolean;
  /** Throws CONTRACT_INVALID naming `source`. `size`: the side of the network's input, where it has one. */
  readonly read: (source: string, json: unknown, size: number | undefined) => Description;
}

/** Kinds of descriptions; of several that lie beside a network the first counts. */
export const FORMATS: readonly Format[] = [
  {
    by: 'permafrost',
    file: BACKBONE_FILE,
    isOne: ({ permafrost }) => permafrost === BACKBONE_FORMAT,
    read: (source, json) => {
      const backbone = backboneFromJson(source, json);
      return { contract: backbone.contract, backbone };
    },
  },
  {
    by: 'transformers',
    file: 'preprocessor_config.json',
    isOne: (json) =>
      ['image_processor_type', 'feature_extractor_type', 'do_resize', 'do_normalize'].some((key) => key in json),
    read: (source, json) => ({ contract: contractFromTransformers(source, json) }),
  },
  {
    by: 'transformers',
    // Version 5 writes what makes images and what makes words into one file.
    file: 'processor_config.json',
    isAmongOthers: true,
    isOne: ({ image_processor: inner }) => typeof inner === 'object' && inner !== null,
    read: (source, json) => ({
      contract: contractFromTransformers(
        `${source}, image_processor`,
        (Object(json) as { readonly image_processor?: unknown }).image_processor,
      ),
    }),
  },
  {
    by: 'open_clip',
    file: 'preprocess_cfg.json',
    isOne: (json) => 'resize_mode' in json || 'fill_color' in json,
    read: (source, json) => ({ contract: contractFromOpenClip(source, json) }),
  },
  {
    by: 'open_clip',
    file: 'open_clip_config.json',
    isOne: (json) => 'preprocess_cfg' in json,
    read: (source, json) => ({ contract: contractFromOpenClipModel(source, json) }),
  },
  {
    by: 'timm',
    file: 'config.json',
    isAmongOthers: true,
    isOne: isTimmConfig,
    read: (source, json, size) => ({ contract: contractFromTimm(source, json, size) }),
  },
  {
    by: 'permafrost',
    isOne: () => true,
    read: (source, json) => ({ contract: contractFromJson(source, json) }),
  },
];

/** Keys of a file's metadata that hold a description, as JSON. */
export const METADATA: readonly (Pick<Format, 'read'> & { readonly key: string })[] = [
  {
    key: 'permafrost',
    read: (source, json) => ({
      contract: contractFromJson(`${source}, contract`, (Object(json) as { readonly contract?: unknown }).contract),
    }),
  },
  { key: 'hf_preprocessor_config', read: (source, json) => ({ contract: contractFromTransformers(source, json) }) },
];
