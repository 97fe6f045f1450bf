import type { Contract } from '../core/contract.ts';
import type { Pooling } from '../core/sample.ts';

/** An input or output of a network, as its file declares it. */
export interface NetworkValue {
  readonly name: string;
  readonly dtype: string;
  /** Sizes; a text where the size is open. Empty where the file states no shape. */
  readonly shape: readonly (number | string)[];
}

/** A tensor at which a network can be cut. */
export interface NetworkCut {
  /** What `--cut` takes: the tensor's name. */
  readonly name: string;
  /** A short name that the network's description gives it, which `--cut` takes too; null where it has none. */
  readonly alias: string | null;
  /** What the axes mean: a map (of a list of layers always NHWC), tokens, or a vector. */
  readonly axes: 'NCHW' | 'NHWC' | 'tokens' | 'vector';
  /** Of a map: height and width; of tokens: 1 and how many they are; of a vector 1 and 1. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Of tokens: how many of the first are no patches; null of others. */
  readonly prefix: number | null;
  /** Position in the order of the network's operators, or layers. */
  readonly depth: number;
  /** The poolings that it has, and how many numbers an image has in each. */
  readonly poolings: readonly { readonly pooling: Pooling; readonly width: number; readonly byDefault: boolean }[];
}

/** A network, how images enter it, and where it can be cut. */
export interface BackboneResult {
  readonly name: string;
  readonly kind: 'graph' | 'layers';
  /** The ONNX file, or the file of a list of layers' weights. */
  readonly file: string;
  /** SHA-256 by which its features are known, whatever the file is called. */
  readonly digest: string;
  /** Versions of the operator sets by domain, `ai.onnx` the standard's; null for a list of layers. */
  readonly opsets: Readonly<Record<string, number>> | null;
  readonly licence: string | null;
  readonly source: string | null;
  readonly input: NetworkValue & {
    readonly layout: 'NCHW' | 'NHWC';
    /** Images that go through at a time, as a run of it measured; null for any number. */
    readonly batch: number | null;
  };
  readonly outputs: readonly NetworkValue[];
  /** The sensible cuts, shallow to deep, and those that were asked for. */
  readonly cuts: readonly NetworkCut[];
  /** The cut where none is asked for, perhaps with its pooling behind a colon. */
  readonly defaultCut: string;
  /** What is done to a picture before the network; null where nothing says it: `contractMissing` then tells. */
  readonly contract: Contract | null;
  /** Where the contract is from, in words. */
  readonly contractFrom: string | null;
  readonly contractMissing: string | null;
  /** What the network's run and its descriptions gave cause to say. */
  readonly notes: readonly string[];
  /** The description that was written; null where none was asked for. */
  readonly written: { readonly path: string; readonly changed: boolean } | null;
  /** What a data set says of the contract; null where none was asked. */
  readonly check: ContractCheck | null;
}

/** How good features of some images are under a contract. */
export interface ContractFigures {
  /** Share of the images whose 5 nearest others vote for their class. */
  readonly accuracy: number;
  /** How far images of a class lie together and others apart: centred alignment of cosines and classes, -1 to 1. */
  readonly alignment: number;
  /** How far the network's own likeliest class stands out, in deviations of its logits; null where it names none. */
  readonly ownClasses: number | null;
}

/** How a contract differs from the stated one, and how good features are under it. */
export interface CheckedContract {
  /** In a few words: `stated`, `BGR instead of RGB`. */
  readonly what: string;
  /** Whether pictures are laid differently into the square, or pixels made other numbers. */
  readonly kind: 'geometry' | 'arithmetic';
  readonly contract: Contract;
  readonly figures: ContractFigures;
  /** 95 % interval of the accuracy. */
  readonly interval: readonly [low: number, high: number];
  /** Two-sided, against the stated contract on the same images, adjusted by Holm for all of them; null for that one. */
  readonly pValues: Partial<Readonly<Record<keyof ContractFigures, number>>> | null;
  /** Against the stated contract, at 5 %; null for that one. */
  readonly told: 'better' | 'worse' | 'alike' | null;
  /** The figures by which it is told, the surest first. */
  readonly decidedBy: readonly (keyof ContractFigures)[];
}

/** A stated contract beside its neighbours, on labelled images. */
export interface ContractCheck {
  readonly dataset: string;
  readonly images: number;
  readonly classes: number;
  /** The cut and pooling whose features were compared. */
  readonly part: { readonly cut: string; readonly pooling: Pooling };
  readonly stated: CheckedContract;
  /** The best first. */
  readonly others: readonly CheckedContract[];
  readonly verdict: 'best' | 'not told apart' | 'beaten';
  /** The verdict in a sentence. */
  readonly sentence: string;
  /** Contracts that could not be tried, and figures that do not count, with the reason. */
  readonly notTried: readonly string[];
}

/** A network that is there, and how to name it. */
export interface PresentBackbone {
  /** What `--backbone` takes. */
  readonly name: string;
  readonly kind: 'graph' | 'layers';
  /** Where it is from: it comes with the package, or a file was added. */
  readonly origin: 'in the box' | 'added';
  readonly file: string | null;
  readonly digest: string | null;
  readonly licence: string | null;
  /** What it still needs before it runs; null where nothing. */
  readonly needs: string | null;
}

/** A well-known network that can be added. */
export interface KnownBackbone {
  readonly name: string;
  readonly describe: string;
  readonly source: string;
  readonly licence: string;
  /** Hex digits of the SHA-256 of the file that is fetched: all 64, or as many as its name proves; null: not known. */
  readonly sha256: string | null;
  /** The file that these are of. */
  readonly file: string;
  readonly megabytes: number | null;
  /** How images enter it. */
  readonly contract: Contract;
  readonly width: number | null;
  /** What fetches it and makes an ONNX file of it. */
  readonly commands: readonly string[];
}

/** What `backbones` did, and what is there. */
export interface BackbonesResult {
  readonly action: 'list' | 'add' | 'remove';
  /** What was added, and whether its digest was given or known before; null where nothing was. */
  readonly added: (PresentBackbone & { readonly verified: boolean }) | null;
  readonly present: readonly PresentBackbone[];
  readonly known: readonly KnownBackbone[];
}
