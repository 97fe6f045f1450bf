import { PermafrostError } from '../../../core/errors.ts';
import { locateOpenVino } from './locate.ts';
import { loadOpenVino, type OpenVino } from './runtime.ts';

/**
 * The first OpenVINO of locateOpenVino, loaded, and no other, so that nothing is used silently in its stead. Throws
 * ENGINE_UNAVAILABLE where there is none or it does not load, PACKAGE_MISSING without koffi.
 */
export async function requireOpenVino(): Promise<OpenVino> {
  const [place] = locateOpenVino();
  if (place !== undefined) return loadOpenVino(place.library);
  const named = process.env['OPENVINO_LIB_DIR'];
  throw new PermafrostError(
    'ENGINE_UNAVAILABLE',
    named
      ? `OPENVINO_LIB_DIR is ${named}, where there is no OpenVINO C library (libopenvino_c.so and the like). Name the folder that holds it, or unset the variable.`
      : 'OpenVINO is not on this machine. Run "npx permafrost engines add openvino", or set OPENVINO_LIB_DIR to the folder of its libraries.',
  );
}
