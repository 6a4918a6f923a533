/**
 * Organisations with members, and the browsers in which those sign in, for tests over a real broker.
 * @module
 */
import assert from 'node:assert/strict';
import { beginSignIn, Device, Enquirer, Members, MemoryStateStore } from '@countersign/client';
import type { Role, Seat } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { introduce, type Party } from './parties.ts';
import type { World } from './world.ts';

export interface Bank {
  readonly bank: Party;
  readonly members: Members;
}

export function memberParties(world: World) {
  const seats = new WeakMap<Device, Seat>();

  /** An organisation whose first owner is there. */
  async function founded(): Promise<Bank> {
    const [bank, alice] = [await world.party('bank'), await world.party('alice')];
    const members = new Members(bank.device.session);
    await members.change(alice.name, 'owner');
    return { bank, members };
  }

  /** Somebody new, with a role. */
  async function join({ bank, members }: Bank, role: Role): Promise<Party> {
    const person = await world.party(role);
    await introduce(person, bank);
    await members.change(person.name, role);
    return person;
  }

  function begin(bank: Party, person: Party, state = new MemoryStateStore()) {
    const { origin } = world.home;
    const [organisation, member] = [bank.name, person.name];
    const { clock } = world;
    return beginSignIn({
      broker: origin,
      organisation,
      member,
      language: 'en',
      state,
      crypto: webCrypto,
      clock,
    });
  }

  /** What a person does with the newest question on their device. */
  async function answer({ device }: Party, decision: 'accept' | 'reject', passcode?: string): Promise<void> {
    const { requests } = await device.pending();
    const shown = { decision, shown: 'screen' } as const;
    await device.answer(requests[0]!, passcode === undefined ? shown : { ...shown, passcode });
  }

  /** A browser in which a member has signed in. */
  async function signedIn(bank: Party, person: Party): Promise<Party> {
    const state = new MemoryStateStore();
    const signIn = await begin(bank, person, state);
    await answer(person, 'accept', signIn.passcode);
    const outcome = await signIn.wait();
    assert.ok(outcome.outcome === 'accepted');
    const options = { keys: outcome.keys, state, crypto: webCrypto, clock: world.clock };
    const device = new Device(options);
    seats.set(device, outcome.seat);
    return { ...person, device, enquirer: new Enquirer(options, outcome.seat), state };
  }

  const seatOf = ({ device }: Party): Seat => seats.get(device)!;
  return { founded, join, begin, answer, signedIn, seatOf };
}
