package io.spillway.simulator.system;

import io.spillway.platform.SpillwayException;
import java.util.Arrays;
import java.util.List;

/// What a component is built of: its clock range, energies, leakage, density and cooling.
///
/// Energies are per operation of a simple 64-bit core and per 64-bit access of a 32 KiB array;
/// larger arrays cost more with the square root of their size. **Units:** joules, watts, hertz.
///
/// **Source:** each constant names its own, and whether the source was read, is quoted from memory
/// or the constant is an estimate of ours.
///
/// @param name name in system files
/// @param kelvin working temperature
/// @param slowest lowest sensible clock
/// @param fastest highest clock that has been shown for circuits of this kind
/// @param operation energy of one instruction in the core
/// @param access energy of one access to 32 KiB
/// @param coreLeakage standing power of a core
/// @param arrayLeakage standing power per MiB
/// @param density memory density, MiB per square millimetre
/// @param cooling watts at room temperature per watt removed
/// @param source where the numbers come from
public record Technology(
    String name,
    double kelvin,
    double slowest,
    double fastest,
    double operation,
    double access,
    double coreLeakage,
    double arrayLeakage,
    double density,
    double cooling,
    String source) {

  /// Energy of one 64-byte DRAM access: 8 times the 64-bit figure of Horowitz (2014), 1.3 nJ.
  public static final double DRAM_ACCESS = 8 * 1.3e-9;

  private static final List<Technology> ALL =
      List.of(
          new Technology(
              "cmos-300k",
              300,
              1e6,
              6e9,
              70e-12,
              20e-12,
              0.5,
              0.05,
              1.0,
              0,
              "Horowitz, ISSCC 2014 (45 nm, 0.9 V): 70 pJ per instruction, 20 pJ per 32 KiB access"
                  + " (from memory); leakage and density: estimates, order of magnitude of 45 nm"
                  + " designs"),
          new Technology(
              "cryo-cmos-77k",
              77,
              1e6,
              10e9,
              70e-12 * 0.34,
              20e-12 * 0.34,
              0.5 * 0.01,
              0.05 * 0.01,
              1.0,
              9.65,
              "Byun et al., CryoCore, ISCA 2020: design by voltage scaling at 77 K, clocks up to 6.1 GHz"
                  + " where 300 K allows 3.4 (read); cooling 9.65 W/W (same, from memory; Carnot's"
                  + " limit is 2.9); operation and access: 300 K values scaled by the square of 0.58,"
                  + " the share of the supply voltage that is left, and leakage 1 %: estimates"),
          new Technology(
              "rsfq-4k",
              4,
              1e9,
              100e9,
              1e4 * 2e-19,
              2e4 * 2e-19,
              0.024,
              0.1,
              0.002,
              400,
              "2e-19 J per junction switched: critical current of 0.1 mA times the flux quantum, which"
                  + " also gives the measured 0.8 aJ per bit of a four-junction stage (Volkmann et al.,"
                  + " eSFQ, 2013, read); 1e4 junctions switched per 64-bit operation and 2e4 per access:"
                  + " estimates; bias resistors 0.8 uW per junction (Likharev and Semenov 1991, from"
                  + " memory) for 3e4 junctions; cooling 300-1000 W/W, 400 taken (Holmes et al., IEEE TAS"
                  + " 2013, from memory; Carnot's limit is 74); density: estimate"),
          new Technology(
              "ersfq-4k",
              4,
              1e9,
              100e9,
              2e4 * 2e-19,
              4e4 * 2e-19,
              0,
              0,
              0.002,
              400,
              "bias junctions instead of resistors: next to no standing power (Volk et al., xeSFQ, 2024,"
                  + " read, which adds that what is left can reach the dynamic part), hence twice the"
                  + " switching energy of RSFQ (estimate after Mukhanov, IEEE TAS 2011); cooling as"
                  + " RSFQ"),
          new Technology(
              "aqfp-4k",
              4,
              1e9,
              10e9,
              1e4 * 1.4e-21,
              2e4 * 1.4e-21,
              0,
              0,
              0.001,
              400,
              "1.4e-21 J per junction at 5 GHz and 4.2 K (Ayala et al., IEEE JSSC 2021, the makers of the"
                  + " MANA processor, quoted, read); junction counts and cooling as RSFQ"));

  /// All technologies.
  public static List<Technology> all() {
    return ALL;
  }

  /// The technology of that name.
  public static Technology named(String name) {
    return ALL.stream()
        .filter(t -> t.name.equals(name))
        .findFirst()
        .orElseThrow(() ->
            SpillwayException.badInput(
                "unknown technology '%s', one of %s",
                name, Arrays.toString(ALL.stream().map(Technology::name).toArray())));
  }
}
