import { IconFile } from "@tabler/icons-react";

import type { Message } from "@/api/messages";
import { bytes } from "@/lib/format";

import classes from "./Files.module.css";

type File = Message["files"][number];

/** The files of a message: pictures first, everything else below them as a line with name and size. */
export function Files({ message }: { message: Message }) {
  if (!message.files.length) return null;
  const pictures = message.files.filter(isPicture);
  const tiles = pictures.length > FEW;
  return (
    <ul className={`${classes.files} ${tiles ? classes.tiles : ""}`} aria-label="Files">
      {pictures.map((file) => (
        <li key={file.id}>
          <Picture file={file} tile={tiles} />
        </li>
      ))}
      {pictures.length > 0 && <li className={classes.break} aria-hidden />}
      {message.files.filter((file) => !isPicture(file)).map((file) => (
        <li key={file.id} className={classes.other}>
          <Line file={file} />
        </li>
      ))}
    </ul>
  );
}

function isPicture(file: File): boolean {
  return Boolean(file.preview_url && file.width && file.height);
}

const FEW = 2;
const WIDEST = 400;
const HIGHEST = 300;

/** Its place is kept from the start: nothing moves when it has come. */
function Picture({ file, tile }: { file: File; tile: boolean }) {
  const [width, height] = [file.width ?? 1, file.height ?? 1];
  const scale = Math.min(1, WIDEST / width, HIGHEST / height);
  const size = { width: Math.max(24, Math.round(width * scale)), height: Math.max(24, Math.round(height * scale)) };
  return (
    <a href={file.url} target="_blank" rel="noopener noreferrer" className={classes.picture} aria-label={`Open ${file.name}`}
      style={tile ? undefined : { width: size.width, aspectRatio: `${size.width} / ${size.height}` }}> {/* prettier-ignore */}
      <img src={file.preview_url ?? file.url} alt={file.name} {...size} loading="lazy" decoding="async" />
    </a>
  );
}

function Line({ file }: { file: File }) {
  return (
    <a href={file.url} target="_blank" rel="noopener noreferrer" className={classes.line}>
      <IconFile size={18} stroke={1.5} aria-hidden />
      <span className={classes.name}>{file.name}</span>
      <span className={classes.size}>{bytes(file.bytes)}</span>
    </a>
  );
}
