import encodeQR from 'qr';

/** A text, and a QR code under it. */
export function withQR(text: string, qr: string | undefined): string {
  return qr ? `${text}\n\n${encodeQR(qr, 'ascii', { ecc: 'low' })}` : text;
}
