// What the parts of the badge draw, each figure with the document and table that it is from: the data of the power budget (power.ts). A figure that could not be
// looked up says "from memory, check the datasheet". Currents in mA at 3.3 V and 25 °C, typical, unless it is said. Nothing here was measured on a badge.

/** Where a figure is from. */
export interface Figure {
  value: number;
  source: string;
}

const from = (value: number, source: string): Figure => ({ value, source });
const memory = (value: number, document: string): Figure =>
  from(value, `from memory, check the datasheet: ${document}`);

const MODULE = "Espressif, ESP32-S3-WROOM-1 Datasheet v1.8";
const MODEM_SLEEP = `${MODULE}, Table 6-6, Modem-sleep, peripheral clocks off`;
const DOZE = "Espressif, ESP-IDF Programming Guide, Low Power Mode in Wi-Fi Scenarios, ESP32-S3";
const RUNTIME = "microsoft/devicescript and devicescript-esp32, source";

/** Clock frequencies that the processor can run at while it has work, MHz. */
export type CpuMhz = 160 | 240;
/** Beacons of the access point from one that a sleeping station must hear to the next. */
export type Dtim = 1 | 3 | 10;

/** Both cores wait for an interrupt; and how much more it is when one core works, and when the other one does too. */
export const CPU: Record<CpuMhz, { idle: Figure; oneCore: Figure; bothCores: Figure }> = {
  160: {
    idle: from(27.6, MODEM_SLEEP),
    oneCore: from(39.9, MODEM_SLEEP),
    bothCores: from(49.6, MODEM_SLEEP),
  },
  240: {
    idle: from(32.9, MODEM_SLEEP),
    oneCore: from(51.2, MODEM_SLEEP),
    bothCores: from(66.2, MODEM_SLEEP),
  },
};

/** The same at 80 and 40 MHz, idle: what dynamic frequency scaling goes down to. */
export const CPU_SLOW_IDLE = { 80: from(22.0, MODEM_SLEEP), 40: from(13.2, MODEM_SLEEP) };

/**
 * What the clock cannot fall below while samples come in, MHz, as the driver is: it locks the peripheral bus at 80 MHz whatever its own clock is.
 */
export const I2S_CLOCK_MIN_MHZ = from(
  80,
  "ESP-IDF 5.0, i2s_std.c: ESP_PM_APB_FREQ_MAX but with an APLL, which an ESP32-S3 does not have",
);

/** Light sleep. Not for a badge that listens: the microphone's clock stops in it. */
export const LIGHT_SLEEP = from(0.24, `${MODULE}, Table 6-7, Low-Power Modes`);

/** A chip that is joined to a network and has nothing to do, between beacons and in the mean, as its maker measured it. */
export const JOINED_IDLE = {
  fixed160: {
    between: from(37.9, `${DOZE}, Modem-sleep without DFS, smallest`),
    mean: {
      1: from(40.1, `${DOZE}, Modem-sleep without DFS, DTIM 1`),
      3: from(38.7, `${DOZE}, Modem-sleep without DFS, DTIM 3`),
      10: from(38.2, `${DOZE}, Modem-sleep without DFS, DTIM 10`),
    },
  },
  scaled: {
    between: from(15.0, `${DOZE}, Modem-sleep with DFS from 160 MHz, smallest`),
    mean: {
      1: from(20.7, `${DOZE}, Modem-sleep with DFS, DTIM 1`),
      3: from(19.9, `${DOZE}, Modem-sleep with DFS, DTIM 3`),
      10: from(19.5, `${DOZE}, Modem-sleep with DFS, DTIM 10`),
    },
  },
};

export const RADIO = {
  /** The receiver is on, the processor idle. */
  rx: from(95, `${MODULE}, Table 6-4, RX 802.11b/g/n HT20`),
  tx: from(286, `${MODULE}, Table 6-4, TX 802.11n HT20 MCS 7 at 17.5 dBm`),
  /** After a packet the station stays awake for so long. */
  awakeAfterPacketMs: from(50, "ESP-IDF, Kconfig ESP_WIFI_SLP_DEFAULT_MIN_ACTIVE_TIME"),
  /** Payload that goes through the air at a middling rate of 802.11n (MCS 2, half of it lost to preambles and acknowledgements), bits per ms. */
  airBitsPerMs: from(10_000, "assumed"),
  scanEveryMs: from(
    10_240,
    `${RUNTIME}: JD_WIFI_SCAN_SECONDS 10, in wifi.c; also while Wi-Fi is switched off by its register`,
  ),
  /** 13 channels of 120 ms. */
  scanMs: from(1560, "ESP-IDF, wifi_scan_default_params_t: active scan of 0 to 120 ms a channel"),
  /** From a scan's end to an address by DHCP. */
  joinMs: from(1000, "assumed"),
  /** A TLS handshake with a full check of certificates; the processor works and the receiver listens. */
  handshakeMs: from(
    2000,
    "assumed; an ESP32-S3 was reported to take more than 3 s in ESP-IDF 4.4 (espressif/esp-idf issue 10523)",
  ),
  handshakeBytes: from(6000, "assumed: two certificates of 2 KB and the rest"),
};

/** Shares of one core at 240 MHz. */
export const CORE_SHARE = {
  features: from(0.05, "145,000 Xtensa instructions a frame under qemu, 1.5 cycles each: 4.5%, rounded up"),
  network: from(
    0.2,
    "640,000 Xtensa instructions a frame under qemu, 1.5 cycles each; vector unit not used; estimate",
  ),
  opus: from(0.22, "others' measurements of libopus, fixed point, complexity 0, 16 kHz: 18 to 26%"),
};

export const MICROPHONE = from(
  0.23,
  "TDK InvenSense DS-000069 ICS-43434 rev. 1.2, features: low-power mode, 6.25 to 18.75 kHz",
);

const W25Q = "Winbond W25Q512JV, DC Electrical Characteristics";
export const FLASH = {
  standby: memory(0.06, W25Q),
  powerDown: memory(0.015, W25Q),
  read: memory(20, W25Q),
  program: memory(25, W25Q),
  erase: memory(25, W25Q),
  programMs: memory(0.7, "Winbond W25Q512JV, AC Electrical Characteristics, page program, typical"),
  eraseMs: memory(45, "Winbond W25Q512JV, AC Electrical Characteristics, sector erase, typical"),
  /** A read of up to 224 bytes on SPI at 20 MHz, with its command. */
  readMs: from(0.1, "computed: 230 bytes at 20 MHz"),
};

export const SHOWN = {
  /** One colour of the light at the brightness that the badge uses. */
  light: from(2, "a choice of the design: 2 mA is well seen indoors"),
  buzzer: memory(5, "a piezo transducer of 12 mm driven at 2.4 kHz"),
  motor: memory(70, "a coin motor of 10 mm at 3 V"),
  toneMs: from(80, "firmware/src/panel.ts"),
  buzzMs: from(120, "firmware/src/panel.ts"),
};

export const SUPPLY = {
  /** From the cell to 3.3 V at 20 to 100 mA. */
  efficiency: memory(0.92, "Texas Instruments TLV62569, efficiency at 3.6 V in, 3.3 V out"),
  regulator: memory(0.035, "Texas Instruments TLV62569, quiescent current"),
  charger: memory(0.0065, "Texas Instruments SLUS810 BQ2407x, battery current with no input"),
  gauge: from(0.023, "Analog Devices 19-6171 MAX17048, active quiescent current"),
};

export const CELL = {
  nominalV: from(3.7, "lithium polymer, mean of a discharge at 0.1 C"),
  /** Of the printed capacity, down to 3.4 V, where the step-down cannot hold 3.3 V any more. */
  usable: memory(0.95, "the cell's discharge curve at 0.1 C"),
  /** Of it, after 500 full cycles. */
  aged: from(
    0.8,
    "common for lithium polymer cells (exa.com.tw, Characteristics of Lithium Polymer battery): 80% after 500 cycles",
  ),
  at0C: memory(0.8, "the cell's capacity against temperature"),
  atMinus10C: memory(0.65, "the cell's capacity against temperature"),
};

/** Every group, for tables of sources. */
export const ALL = {
  I2S_CLOCK_MIN_MHZ,
  CPU,
  CPU_SLOW_IDLE,
  LIGHT_SLEEP,
  JOINED_IDLE,
  RADIO,
  CORE_SHARE,
  MICROPHONE,
  FLASH,
  SHOWN,
  SUPPLY,
  CELL,
};
