import { providerSuite } from '../../core/test/provider-suite.ts';
import { sodiumCrypto } from '../src/sodium.ts';

providerSuite('sodium', sodiumCrypto);
