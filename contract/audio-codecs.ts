/** The codecs that we speak. Outside of media/codec and media/sdp nobody else names one. */

/** As SDP has them, best first where nobody says otherwise. */
export const AUDIO_CODECS = ['PCMU', 'PCMA'] as const;
export type AudioCodec = (typeof AUDIO_CODECS)[number];

/** As phone systems have them in their settings. */
const SETTING: Readonly<Record<AudioCodec, string>> = { PCMU: 'G.711 ulaw', PCMA: 'G.711 alaw' };

/** For whoever has to allow one of them there. */
export const CODECS_TO_ALLOW = AUDIO_CODECS.map((name) => `${name} (${SETTING[name]})`).join(' or ');
