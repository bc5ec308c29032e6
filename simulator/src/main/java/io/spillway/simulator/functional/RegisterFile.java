package io.spillway.simulator.functional;

import io.spillway.simulator.machine.Hart;

/// The registers of the hart that runs, one field each, for generated code.
///
/// Generated code writes every register through to its field, so that nothing has to be kept for
/// the many ways out of a region. Fields and not an array: a constant element of an array costs
/// HotSpot a bounds check, and it tells apart accesses to different fields at once.
final class RegisterFile {
  long x1;
  long x2;
  long x3;
  long x4;
  long x5;
  long x6;
  long x7;
  long x8;
  long x9;
  long x10;
  long x11;
  long x12;
  long x13;
  long x14;
  long x15;
  long x16;
  long x17;
  long x18;
  long x19;
  long x20;
  long x21;
  long x22;
  long x23;
  long x24;
  long x25;
  long x26;
  long x27;
  long x28;
  long x29;
  long x30;
  long x31;

  // bits
  long f0;
  long f1;
  long f2;
  long f3;
  long f4;
  long f5;
  long f6;
  long f7;
  long f8;
  long f9;
  long f10;
  long f11;
  long f12;
  long f13;
  long f14;
  long f15;
  long f16;
  long f17;
  long f18;
  long f19;
  long f20;
  long f21;
  long f22;
  long f23;
  long f24;
  long f25;
  long f26;
  long f27;
  long f28;
  long f29;
  long f30;
  long f31;

  /// Takes the hart's registers.
  void load(Hart hart) {
    long[] x = hart.x;
    long[] f = hart.f;
    x1 = x[1];
    x2 = x[2];
    x3 = x[3];
    x4 = x[4];
    x5 = x[5];
    x6 = x[6];
    x7 = x[7];
    x8 = x[8];
    x9 = x[9];
    x10 = x[10];
    x11 = x[11];
    x12 = x[12];
    x13 = x[13];
    x14 = x[14];
    x15 = x[15];
    x16 = x[16];
    x17 = x[17];
    x18 = x[18];
    x19 = x[19];
    x20 = x[20];
    x21 = x[21];
    x22 = x[22];
    x23 = x[23];
    x24 = x[24];
    x25 = x[25];
    x26 = x[26];
    x27 = x[27];
    x28 = x[28];
    x29 = x[29];
    x30 = x[30];
    x31 = x[31];
    f0 = f[0];
    f1 = f[1];
    f2 = f[2];
    f3 = f[3];
    f4 = f[4];
    f5 = f[5];
    f6 = f[6];
    f7 = f[7];
    f8 = f[8];
    f9 = f[9];
    f10 = f[10];
    f11 = f[11];
    f12 = f[12];
    f13 = f[13];
    f14 = f[14];
    f15 = f[15];
    f16 = f[16];
    f17 = f[17];
    f18 = f[18];
    f19 = f[19];
    f20 = f[20];
    f21 = f[21];
    f22 = f[22];
    f23 = f[23];
    f24 = f[24];
    f25 = f[25];
    f26 = f[26];
    f27 = f[27];
    f28 = f[28];
    f29 = f[29];
    f30 = f[30];
    f31 = f[31];
  }

  /// Gives the hart its registers back.
  void store(Hart hart) {
    long[] x = hart.x;
    long[] f = hart.f;
    x[1] = x1;
    x[2] = x2;
    x[3] = x3;
    x[4] = x4;
    x[5] = x5;
    x[6] = x6;
    x[7] = x7;
    x[8] = x8;
    x[9] = x9;
    x[10] = x10;
    x[11] = x11;
    x[12] = x12;
    x[13] = x13;
    x[14] = x14;
    x[15] = x15;
    x[16] = x16;
    x[17] = x17;
    x[18] = x18;
    x[19] = x19;
    x[20] = x20;
    x[21] = x21;
    x[22] = x22;
    x[23] = x23;
    x[24] = x24;
    x[25] = x25;
    x[26] = x26;
    x[27] = x27;
    x[28] = x28;
    x[29] = x29;
    x[30] = x30;
    x[31] = x31;
    f[0] = f0;
    f[1] = f1;
    f[2] = f2;
    f[3] = f3;
    f[4] = f4;
    f[5] = f5;
    f[6] = f6;
    f[7] = f7;
    f[8] = f8;
    f[9] = f9;
    f[10] = f10;
    f[11] = f11;
    f[12] = f12;
    f[13] = f13;
    f[14] = f14;
    f[15] = f15;
    f[16] = f16;
    f[17] = f17;
    f[18] = f18;
    f[19] = f19;
    f[20] = f20;
    f[21] = f21;
    f[22] = f22;
    f[23] = f23;
    f[24] = f24;
    f[25] = f25;
    f[26] = f26;
    f[27] = f27;
    f[28] = f28;
    f[29] = f29;
    f[30] = f30;
    f[31] = f31;
  }

  /// The name of the field of a register in the joint numbering.
  static String field(int register) {
    return register < 32 ? "x" + register : "f" + (register - 32);
  }
}
