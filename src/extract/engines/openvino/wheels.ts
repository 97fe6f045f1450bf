/** One build of OpenVINO on PyPI. */
export interface Wheel {
  /** The platform tag, as pip's `--platform` takes it. */
  readonly platform: string;
  /** Lower-case hex SHA-256 of the file, as PyPI tells it. */
  readonly sha256: string;
}

/** The Python whose wheel is taken, whatever Python pip runs on: the libraries inside are the same in all of them. */
export const WHEEL_PYTHON = { version: '3.11', implementation: 'cp', abi: 'cp311' } as const;

/** The wheels of PINNED_VERSION, by Node's platform and architecture. Only linux-x64 was run by permafrost's tests. */
export const WHEELS: Readonly<Partial<Record<string, Wheel>>> = {
  'linux-x64': {
    platform: 'manylinux_2_28_x86_64',
    sha256: '71ee4e65a914044a510af43da16f3279c8f9dae22cbc8eac63d4a785c4a9c03f',
  },
  'linux-arm64': {
    platform: 'manylinux_2_35_aarch64',
    sha256: '8d552c6a8b0853447b291da3b2916d1b8a0e6f8bca70c8a9737d661fb5e268ca',
  },
  'darwin-arm64': {
    platform: 'macosx_11_0_arm64',
    sha256: '73f54242b6cf6fb5b6ddee27cfc3c510ddbae96125d6bdb0408aa71a473748a8',
  },
  'win32-x64': {
    platform: 'win_amd64',
    sha256: 'f00130dee4046272fc734afd88b9cbc69066f37219337828e04f1a1b257b2288',
  },
};

/**
 * Whether the CPU path needs a file of the wheel's `openvino/libs`: no plugins of other devices, no readers of other
 * formats than ONNX and OpenVINO's own, no GPU kernels (cache.json). 93 of 170 MB remain on Linux.
 */
export function isNeeded(name: string): boolean {
  return !/_(gpu|npu|auto|auto_batch|hetero)_plugin|(gguf|jax|paddle|pytorch|tensorflow|tensorflow_lite)_frontend|\.(json|pc|lib|cmake)$/.test(
    name,
  );
}
