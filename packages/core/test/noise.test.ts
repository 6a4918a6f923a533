import { webNoise } from '../src/noise-web.ts';
import { noiseSuite } from './noise-suite.ts';

noiseSuite(webNoise);
