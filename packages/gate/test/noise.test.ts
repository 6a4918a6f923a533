import { noiseSuite } from '../../core/test/noise-suite.ts';
import { sodiumNoise } from '../src/sodium-noise.ts';

noiseSuite(sodiumNoise);
