import { assert } from '@nowcast/kernel';
import type { Route } from './route.ts';

interface Node {
  literals: Map<string, Node>;
  parameter: Node | undefined;
  routes: Map<string, { route: Route; names: readonly string[] }>;
}

export type RouteMatch =
  | { kind: 'found'; route: Route; params: Readonly<Record<string, string>> }
  | { kind: 'method'; allowed: string[] }
  | { kind: 'none' };

/** All routes as a tree of path segments; a literal segment wins over a parameter. */
export class RouteTable {
  readonly routes: readonly Route[];
  readonly #root: Node = emptyNode();

  constructor(routes: readonly Route[]) {
    this.routes = routes;
    for (const route of routes) this.#add(route);
  }

  #add(route: Route): void {
    let node = this.#root;
    const names: string[] = [];
    for (const segment of segmentsOf(route.path)) {
      if (segment.startsWith(':')) {
        names.push(segment.slice(1));
        node = node.parameter ??= emptyNode();
      } else {
        const next: Node = node.literals.get(segment) ?? emptyNode();
        node.literals.set(segment, next);
        node = next;
      }
    }
    assert(!node.routes.has(route.method), `two routes for ${route.method} ${route.path}`);
    node.routes.set(route.method, { route, names });
  }

  /** `method` HEAD is answered by GET. */
  match(method: string, path: string): RouteMatch {
    const values: string[] = [];
    const node = find(this.#root, segmentsOf(path), 0, values);
    if (node === undefined) return { kind: 'none' };
    const entry = node.routes.get(method === 'HEAD' ? 'GET' : method);
    if (entry === undefined) return { kind: 'method', allowed: [...node.routes.keys()] };
    const params = Object.fromEntries(entry.names.map((name, i) => [name, values[i] ?? '']));
    return { kind: 'found', route: entry.route, params };
  }
}

function find(node: Node, segments: readonly string[], at: number, values: string[]): Node | undefined {
  const segment = segments[at];
  if (segment === undefined) return node.routes.size > 0 ? node : undefined;
  const literal = node.literals.get(segment);
  const found = literal && find(literal, segments, at + 1, values);
  if (found !== undefined) return found;
  if (node.parameter === undefined || segment === '') return undefined;
  values.push(segment);
  const parameter = find(node.parameter, segments, at + 1, values);
  if (parameter === undefined) values.pop();
  return parameter;
}

/** Segments of a path, percent-decoded one by one so that an encoded slash stays inside its segment. */
function segmentsOf(path: string): string[] {
  return path
    .slice(1)
    .split('/')
    .map((segment) => {
      try {
        return decodeURIComponent(segment);
      } catch {
        return segment;
      }
    });
}

function emptyNode(): Node {
  return { literals: new Map(), parameter: undefined, routes: new Map() };
}
