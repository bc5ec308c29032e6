package io.spillway.simulator.system;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Default;

/// One channel of DRAM and its controller; times in nanoseconds.
///
/// The defaults are DDR3-1600 with eight 8-bit devices, two ranks.
///
/// @param banks banks per rank
/// @param ranks ranks
/// @param rowBytes bytes of an open row over all devices
/// @param burstBytes bytes of a burst
/// @param burst time of a burst on the data bus
/// @param cl column access to data
/// @param cwl column write to data
/// @param rcd activate to column access
/// @param rp precharge
/// @param ras activate to precharge
/// @param rtp read to precharge
/// @param wr write recovery
/// @param wtr write to read on the bus
/// @param rtw read to write on the bus
/// @param cs switch between ranks
/// @param rrd activate to activate of another bank
/// @param faw window of four activates
/// @param refi refresh interval
/// @param rfc length of a refresh
/// @param frontend controller pipeline before the access
/// @param backend controller pipeline after it
/// @param readQueue entries of the read queue
/// @param writeQueue entries of the write queue
/// @param writeHigh share of the write queue from which writes go first
/// @param writeLow share of it from which an idle bus drains writes
/// @param writesPerSwitch least writes before the bus turns to reads again
/// @param rowAccesses accesses after which a row is closed
public record Dram(
    @Default("8") int banks,
    @Default("2") int ranks,
    @Default("8192") int rowBytes,
    @Default("64") int burstBytes,
    @Default("5") double burst,
    @Default("13.75") double cl,
    @Default("13.75") double cwl,
    @Default("13.75") double rcd,
    @Default("13.75") double rp,
    @Default("35") double ras,
    @Default("7.5") double rtp,
    @Default("15") double wr,
    @Default("7.5") double wtr,
    @Default("2.5") double rtw,
    @Default("2.5") double cs,
    @Default("6") double rrd,
    @Default("30") double faw,
    @Default("7800") double refi,
    @Default("260") double rfc,
    @Default("10") double frontend,
    @Default("10") double backend,
    @Default("32") int readQueue,
    @Default("64") int writeQueue,
    @Default("0.85") double writeHigh,
    @Default("0.5") double writeLow,
    @Default("16") int writesPerSwitch,
    @Default("16") int rowAccesses) {
  public Dram {
    Require.powerOfTwo("dram banks", banks);
    Require.powerOfTwo("dram ranks", ranks);
    Require.powerOfTwo("dram row_bytes", rowBytes);
    Require.powerOfTwo("dram burst_bytes", burstBytes);
    Require.between("dram write_queue", writeQueue, 1, 4096);
    Require.between("dram read_queue", readQueue, 1, 4096);
    Require.between("dram writes_per_switch", writesPerSwitch, 1, 4096);
    Require.between("dram row_accesses", rowAccesses, 1, 1 << 20);
    double[] times = {
      burst, cl, cwl, rcd, rp, ras, rtp, wr, wtr, rtw, cs, rrd, faw, refi, rfc, frontend, backend
    };
    for (double time : times) {
      if (!(time >= 0 && time <= 1e6)) {
        throw SpillwayException.badInput(
            "a DRAM time of %s ns, it must lie between 0 and 1 000 000 ns", time);
      }
    }
    if (rfc >= refi) {
      throw SpillwayException.badInput(
          "dram rfc is %s ns, it must be below refi, which is %s ns", rfc, refi);
    }
    if (!(writeLow > 0 && writeLow < writeHigh && writeHigh <= 1)) {
      throw SpillwayException.badInput(
          "dram write_low is %s and write_high %s, 0 < write_low < write_high <= 1 must hold",
          writeLow, writeHigh);
    }
  }
}
