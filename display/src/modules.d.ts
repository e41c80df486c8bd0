// Made by build.mjs.
declare module "app6:symbols" {
  const symbols: Record<string, { frame: string; icon: [outline: string, filled: 0 | 1][] }>;
  export default symbols;
}
