import type { Contract } from '../../core/contract.ts';
import { AS_SEEN, contractArithmetic, type ContractFields } from '../../extract/contracts/canonical.ts';
import { contractOf, presetContract } from '../../extract/contracts/presets.ts';
import type { KnownBackbone } from '../../results/backbone-results.ts';

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** Cropped to 224 pixels out of a picture whose shorter side is `resize`, with the mean and deviation of ImageNet. */
const cropped = (resize: number, kernel: ContractFields['kernel']): Contract =>
  contractOf({
    size: 224,
    geometry: 'cover-crop',
    resize,
    kernel,
    ...AS_SEEN,
    channelOrder: 'RGB',
    ...contractArithmetic({ rescale: 1 / 255, ...IMAGENET }),
  });

/** What torch writes for any number of images. torch.onnx.export(..., dynamo=False) is there since torch 2.5. */
const exported = (network: string, file: string, output: string): string =>
  `torch.onnx.export(${network}.eval(), torch.zeros(1, 3, 224, 224), '${file}', input_names=['image'], output_names=['${output}'], dynamic_axes={'image': {0: 'batch'}, '${output}': {0: 'batch'}}, opset_version=17, dynamo=False)`;

/** A network of torchvision, whose files have the beginning of their SHA-256 in their names. */
const ofTorchvision = (
  name: string,
  model: string,
  weights: string,
  file: string,
  others: Pick<KnownBackbone, 'describe' | 'megabytes' | 'contract' | 'width'>,
): KnownBackbone => ({
  name,
  ...others,
  source: `https://download.pytorch.org/models/${file}`,
  licence: 'BSD-3-Clause (torchvision)',
  sha256: /-([0-9a-f]{8})\.pth$/.exec(file)![1]!,
  file,
  commands: [
    'pip install torch torchvision onnx',
    `python -c "import torch, torchvision; ${exported(`torchvision.models.get_model('${model}', weights='${weights}')`, `${name}.onnx`, 'logits')}"`,
  ],
});

/** An image encoder of open_clip. */
const ofOpenClip = (
  name: string,
  model: string,
  pretrained: string,
  others: Omit<KnownBackbone, 'name' | 'commands'>,
): KnownBackbone => ({
  name,
  ...others,
  commands: [
    'pip install open_clip_torch onnx',
    `python -c "import torch, open_clip; ${exported(`open_clip.create_model('${model}', pretrained='${pretrained}').visual`, `${name}.onnx`, 'embedding')}"`,
  ],
});

/**
 * Networks that can be added. Beginnings of digests are those in the file names of torchvision 0.29, the digest of
 * CLIP's file is in its address in open_clip 3.3; both libraries compare them when they fetch. Of the others none could
 * be proved; contracts are those of the weights' own transforms there.
 */
export const KNOWN_NETWORKS: readonly KnownBackbone[] = [
  ofTorchvision('mobilenet-v3-large', 'mobilenet_v3_large', 'IMAGENET1K_V2', 'mobilenet_v3_large-5c1a4163.pth', {
    describe: 'MobileNetV3-Large of ImageNet: small and fast',
    megabytes: 21,
    contract: cropped(232, 'bilinear'),
    width: 1280,
  }),
  ofTorchvision('efficientnet-b0', 'efficientnet_b0', 'IMAGENET1K_V1', 'efficientnet_b0_rwightman-7f5810bc.pth', {
    describe: 'EfficientNet-B0 of ImageNet',
    megabytes: 20,
    contract: cropped(256, 'bicubic'),
    width: 1280,
  }),
  ofTorchvision('resnet50', 'resnet50', 'IMAGENET1K_V2', 'resnet50-11ad3fa6.pth', {
    describe: 'ResNet-50 of ImageNet, second training',
    megabytes: 98,
    contract: cropped(232, 'bilinear'),
    width: 2048,
  }),
  ofTorchvision('convnext-tiny', 'convnext_tiny', 'IMAGENET1K_V1', 'convnext_tiny-983f1562.pth', {
    describe: 'ConvNeXt-Tiny of ImageNet',
    megabytes: 109,
    contract: cropped(236, 'bilinear'),
    width: 768,
  }),
  ofTorchvision('vit-b-16', 'vit_b_16', 'IMAGENET1K_V1', 'vit_b_16-c867db91.pth', {
    describe: 'ViT-B/16 of ImageNet',
    megabytes: 330,
    contract: cropped(256, 'bilinear'),
    width: 768,
  }),
  {
    name: 'dinov2-small',
    describe: 'DINOv2 ViT-S/14, trained without labels: class and patch tokens',
    source: 'https://huggingface.co/facebook/dinov2-small',
    licence: 'Apache-2.0',
    sha256: null,
    file: 'model.safetensors',
    megabytes: 88,
    contract: cropped(256, 'bicubic'),
    width: 384,
    commands: [
      'pip install "optimum-onnx[onnxruntime]"',
      'optimum-cli export onnx --model facebook/dinov2-small --task feature-extraction dinov2-small',
    ],
  },
  ofOpenClip('clip-vit-b-32', 'ViT-B-32-quickgelu', 'openai', {
    describe: 'the image encoder of CLIP ViT-B/32',
    source:
      'https://openaipublic.azureedge.net/clip/models/40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/ViT-B-32.pt',
    licence: 'MIT',
    sha256: '40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af',
    file: 'ViT-B-32.pt',
    megabytes: 354,
    contract: presetContract('clip', 224),
    width: 512,
  }),
  ofOpenClip('siglip-vit-b-16', 'ViT-B-16-SigLIP', 'webli', {
    describe: 'the image encoder of SigLIP ViT-B/16',
    source: 'https://huggingface.co/timm/ViT-B-16-SigLIP',
    licence: 'Apache-2.0',
    sha256: null,
    file: 'open_clip_model.safetensors',
    megabytes: 813,
    contract: presetContract('siglip', 224),
    width: 768,
  }),
];
