/** Names of the gateway's objects: `shop@file`, where the part behind the last `@` is the provider. */

export type Kind = 'routers' | 'services' | 'middlewares';

/** The full name of what an object of `provider` calls `name`. */
export function fullName(name: string, provider: string): string {
  return name.includes('@') ? name : `${name}@${provider}`;
}

/** The name as objects of `provider` may call it: without the provider when it is theirs. */
export function shortName(name: string, provider: string): string {
  const end = `@${provider}`;
  return name.endsWith(end) && name.length > end.length ? name.slice(0, -end.length) : name;
}

/** The address of an object's page. */
export function objectHref(kind: Kind, name: string): string {
  return `/gateway/${kind}/${segment(name)}`;
}

/** A name as a part of an address that people can read. */
export function segment(name: string): string {
  return encodeURIComponent(name).replaceAll('%40', '@');
}

/** The name that a part of an address stands for: the router leaves what is reserved encoded. */
export function nameOf(part: string | undefined): string {
  return (part ?? '').replace(/%(?:2[34BCF6]|3[ABDF]|40)/gi, decodeURIComponent);
}
