// Reads a Parquet file with hyparquet and prints it as JSON: the columns with their types, and the rows. Argument: the file.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.LUXWIRE_NODE_MODULES, 'here.js'));
const { parquetMetadata, parquetReadObjects } = await import(pathToFileURL(require.resolve('hyparquet')));

const bytes = readFileSync(process.argv[2]);
const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
const columns = parquetMetadata(file)
  .schema.slice(1)
  .map(({ name, type, logical_type, repetition_type }) => [name, type, logical_type?.type ?? null, repetition_type]);
// Bytes stay bytes where the file does not say that they are text.
const rows = await parquetReadObjects({ file, utf8: false });
const plain = (_, value) => {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return Array.from(value);
  return value;
};
console.log(JSON.stringify({ columns, rows }, plain));
