/**
 * A QR code by the camera, or from a picture: a way without copying digits. Beside each stands a line to type in.
 * @module
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { explain } from './explain.ts';
import { say } from './words.ts';

interface Properties {
  readonly label: string;
  /** Whether the camera is on at once. */
  readonly begun?: boolean;
  onText(text: string): void;
}

/** Between two looks at the camera's picture, in ms. */
const LOOK_MS = 150;
/** A photo is made smaller than this before it is looked at, in pixels. */
const LARGEST = 1600;

export function Scan({ label, begun = false, onText }: Properties) {
  const [open, setOpen] = useState(begun);
  const [failure, setFailure] = useState('');
  const take = (text: string) => {
    setOpen(false);
    setFailure('');
    onText(text);
  };
  const fromFile = async (event: Event) => {
    const [file] = (event.currentTarget as HTMLInputElement).files ?? [];
    if (file === undefined) return;
    setFailure('');
    try {
      const image = await createImageBitmap(file);
      const scale = Math.min(1, LARGEST / Math.max(image.width, image.height));
      const { readQR } = await import('./read-qr.ts');
      const text = await readQR(image, Math.round(image.width * scale), Math.round(image.height * scale));
      if (text === undefined) setFailure(say('scan.none'));
      else take(text);
    } catch {
      setFailure(say('scan.none'));
    }
  };
  return (
    <div class="scan">
      <div class="row">
        <button type="button" class="plain" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? say('scan.stop') : label}
        </button>
        <label class="file">
          {say('scan.file')}
          <input type="file" accept="image/*" onChange={fromFile} />
        </label>
      </div>
      {open && <Camera onText={take} onFailure={setFailure} />}
      {failure !== '' && <p role="alert">{failure}</p>}
    </div>
  );
}

function Camera({ onText, onFailure }: { onText(text: string): void; onFailure(text: string): void }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const stop = new AbortController();
    look(video.current!, stop.signal).then(
      (text) => text !== undefined && onText(text),
      (error: unknown) => onFailure(explain(error)),
    );
    return () => stop.abort();
  }, []);
  return <video ref={video} class="camera" playsInline muted aria-label={say('scan.camera')} />;
}

/** Looks at the camera's pictures until one has a code, or nobody looks any more. */
async function look(video: HTMLVideoElement, signal: AbortSignal): Promise<string | undefined> {
  const { readQR } = await import('./read-qr.ts');
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: 'environment', width: { ideal: 1280 } },
  });
  try {
    if (signal.aborted) return undefined;
    video.srcObject = stream;
    await video.play();
    while (!signal.aborted) {
      const text = await readQR(video, video.videoWidth, video.videoHeight);
      if (text !== undefined) return text;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    return undefined;
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}
