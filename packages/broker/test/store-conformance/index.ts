/**
 * What every store must do, whatever it is made of.
 * @module
 */
import { describe } from 'node:test';
import { accountsConform } from './accounts.ts';
import { fixture, type Open } from './fixture.ts';
import { organisationsConform } from './organisations.ts';
import { requestsConform } from './requests.ts';

export function storeConformance(name: string, open: Open): void {
  describe(`the store on ${name}`, () => {
    const made = fixture(open);
    accountsConform(made);
    requestsConform(made);
    organisationsConform(made);
  });
}
