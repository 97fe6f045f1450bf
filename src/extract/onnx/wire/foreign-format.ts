const EXPORT = 'docs/backbones.md says how to export a network to ONNX';
const TORCH =
  'It is of PyTorch: with the network in memory, torch.onnx.export(model, torch.zeros(1, 3, 224, 224), "model.onnx", opset_version=17) writes ONNX';
const TENSORFLOW =
  'It is of TensorFlow: `python -m tf2onnx.convert --saved-model FOLDER --output model.onnx --opset 17` writes ONNX';
const KERAS = 'It is of Keras: model.export("model.onnx", format="onnx") writes ONNX';
const TFLITE =
  'It is of TensorFlow Lite: `python -m tf2onnx.convert --tflite FILE --output model.onnx --opset 17` writes ONNX';

/** What some other files begin with, and what to do with them. */
const FORMATS: readonly {
  readonly starts: string;
  readonly at?: number;
  readonly what: string;
  readonly then: string;
}[] = [
  { starts: '\x89HDF\r\n\x1a\n', what: 'an HDF5 file (.h5)', then: KERAS },
  { starts: 'TFL3', at: 4, what: 'a TensorFlow Lite model (.tflite)', then: TFLITE },
  { starts: 'ORTM', at: 4, what: "a model in ONNX Runtime's own format (.ort)", then: 'Take the .onnx it was made of' },
  { starts: 'version https://git-lfs', what: 'a pointer of Git LFS', then: '`git lfs pull` fetches the file itself' },
  { starts: '\x80\x02', what: 'a Python pickle (.pt, .pth)', then: TORCH },
  { starts: '\x80\x04', what: 'a Python pickle (.pkl)', then: TORCH },
  { starts: 'GGUF', what: 'a GGUF file', then: EXPORT },
  { starts: '<!DOCTYPE', what: 'a web page', then: 'The download failed: fetch it again' },
  { starts: '<html', what: 'a web page', then: 'The download failed: fetch it again' },
  { starts: '<?xml', what: 'an XML file (such as the .xml of OpenVINO)', then: 'Take the .onnx it was made of' },
  { starts: '\x08\x01\x12', what: 'a SavedModel (.pb)', then: TENSORFLOW },
  { starts: '{', what: 'a JSON file', then: 'Give the .onnx file beside it' },
  { starts: '\0\0\0{', at: 5, what: 'a safetensors file: weights without a network', then: TORCH },
];

/** What a file is that is no ONNX model, by its first bytes, and what to do; undefined for what is not known. */
export function foreignFormat(bytes: Uint8Array, path: string): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, 64));
  const known = FORMATS.find(({ starts, at = 0 }) => head.startsWith(starts, at));
  if (known !== undefined) return `${known.what}. ${known.then}`;
  if (head.startsWith('PK\x03\x04')) {
    return path.endsWith('.keras') ? `a Keras model (.keras). ${KERAS}` : `a ZIP archive (.pt, .pth). ${TORCH}`;
  }
  // A GraphDef begins with its nodes, an ONNX model with its IR version.
  if (path.endsWith('.pb') && head.startsWith('\n')) return `a frozen graph (.pb). ${TENSORFLOW}`;
  return undefined;
}
