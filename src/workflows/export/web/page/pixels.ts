import { withoutOrientation } from './exif-orientation.ts';
import type { Contract } from '../../../../core/contract.ts';

/** uint8 RGB, shape (height, width, 3). */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** As the file has them: no colour profile, nothing multiplied by alpha; turned by the file's orientation. */
const AS_STORED: ImageBitmapOptions = {
  colorSpaceConversion: 'none',
  imageOrientation: 'from-image',
  premultiplyAlpha: 'none',
};

/** Red, green, blue and alpha of a picture on white paper. */
function onWhite(bitmap: ImageBitmap): Uint8ClampedArray {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  if (context === null) throw new Error('this browser gives no canvas');
  context.fillStyle = 'white';
  context.fillRect(0, 0, bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
}

/** Red, green, blue and alpha as stored, also of what is transparent: a 2D canvas would forget those colours. */
function asStored(bitmap: ImageBitmap): Uint8Array {
  const { width, height } = bitmap;
  const gl = new OffscreenCanvas(1, 1).getContext('webgl');
  if (gl === null) throw new Error('this browser gives no WebGL, which pictures with transparent parts need');
  const most = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
  if (Math.max(width, height) > most) throw new Error(`it is larger than the ${most} pixels a side that fit here`);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  const data = new Uint8Array(width * height * 4);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, data);
  return data;
}

/** The pixels that permafrost takes from the same file, before its resize, which the model does itself. */
export async function pixelsOf(
  image: Blob | ImageBitmap,
  { orientation, alpha }: Pick<Contract, 'orientation' | 'alpha'>,
): Promise<Pixels> {
  const bitmap =
    image instanceof Blob
      ? await createImageBitmap(orientation === 'ignore' ? await withoutOrientation(image) : image, AS_STORED)
      : image;
  const { width, height } = bitmap;
  const rgba = alpha === 'drop' ? asStored(bitmap) : onWhite(bitmap);
  bitmap.close();
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < data.length; from += 4) {
    data[to++] = rgba[from]!;
    data[to++] = rgba[from + 1]!;
    data[to++] = rgba[from + 2]!;
  }
  return { data, width, height };
}
