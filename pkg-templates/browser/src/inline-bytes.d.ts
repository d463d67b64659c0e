/** The module as base64; the build writes the file. */
declare const bytes: string;
export default bytes;
