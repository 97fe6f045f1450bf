import { options, type VNode } from 'preact';
import { printable } from '../../report/printable.ts';

/** Attributes that a browser shows or reads out; what stands in a field stays as it is. */
const SHOWN = ['alt', 'aria-label', 'title'] as const;

const visible = (child: unknown): unknown =>
  typeof child === 'string' ? printable(child) : Array.isArray(child) ? child.map(visible) : child;

/**
 * From now on no text on the page turns the writing direction or hides characters: names of classes and files come from
 * outside. Marks that do so are shown as `\u202e`, as in the report.
 */
export function showTextAsItIs(): void {
  const before = options.vnode;
  options.vnode = (vnode: VNode) => {
    if (typeof vnode.type === 'string') {
      const props = vnode.props as Record<string, unknown>;
      props.children = visible(props.children);
      for (const name of SHOWN) if (name in props) props[name] = visible(props[name]);
    }
    before?.(vnode);
  };
}
