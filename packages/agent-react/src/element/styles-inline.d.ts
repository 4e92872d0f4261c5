/** The text of a style sheet, put in by the bundler. */
declare module "*.css?inline" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: that is how bundlers give it.
  export default text;
}
