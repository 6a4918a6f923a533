/**
 * `countersign-gate certificate`: what a telephone needs to reach this host by https and wss, on a network that no
 * public authority knows.
 * @module
 */
import type { Command } from 'commander';
import { makeCertificate } from '../phone/certificate.ts';

export function addCertificateCommand(program: Command, say: (text: string) => void): void {
  program
    .command('certificate')
    .description(
      'make an authority that can vouch for this host alone, and a certificate by it; with an authority there, renew the certificate',
    )
    .argument('<names...>', 'names and addresses of this host; at least one name, like web1.local')
    .requiredOption('--out <folder>', 'where authority.crt, phone.crt and their keys go')
    .action((names: string[], { out }: { out: string }) => {
      const { authority, cert, key, fingerprint } = makeCertificate(out, names);
      say(
        [
          `Authority:    ${authority}`,
          `Certificate:  ${cert}, its key ${key}`,
          'Trust the authority on each telephone, and compare its SHA-256 fingerprint there:',
          `  ${fingerprint}`,
          'Give the certificate and its key to countersign-gated (--tls-cert, --tls-key) and to `serve --phone`.',
        ].join('\n'),
      );
    });
}
