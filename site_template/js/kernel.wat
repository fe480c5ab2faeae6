;; Cosine similarity of one code with many: the loops of similarity.js on 16 bytes at a time, four codes at once.
;;
;; A code's signed bytes stand in `stride` bytes: its dims, then zeros up to a multiple of 16. Products of bytes need 16 bits, their
;; sums 32: exact up to 133,000 dims. Multiplication, square root and division are single IEEE double operations, two in one
;; instruction, so the bits are those of the scalar loop.
(module
  (import "js" "memory" (memory 1))

  ;; Spread codes that stand without gaps from $from on over strides from $to to before $end, and write their squared norms as
  ;; doubles to $norms. The codes end where the last stride ends, so that no write reaches a byte that is still to be read.
  (func (export "put") (param $from i32) (param $to i32) (param $end i32) (param $stride i32) (param $dims i32) (param $norms i32)
    (local $last i32)
    (local $bytes v128) (local $mask v128) (local $sum v128)
    ;; The bytes of a stride's last 16 that belong to the code.
    (local.set $mask (i8x16.lt_u
      (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
      (i8x16.splat (i32.sub (local.get $dims) (i32.sub (local.get $stride) (i32.const 16))))))
    (loop $codes
      (local.set $last (i32.add (local.get $to) (i32.sub (local.get $stride) (i32.const 16))))
      (local.set $sum (v128.const i32x4 0 0 0 0))
      (loop $dims
        (local.set $bytes (v128.load (local.get $from)))
        (if (i32.eq (local.get $to) (local.get $last))
          (then
            (local.set $bytes (v128.and (local.get $bytes) (local.get $mask)))
            (local.set $from (i32.sub (local.get $from) (i32.sub (local.get $stride) (local.get $dims))))))
        (v128.store (local.get $to) (local.get $bytes))
        (local.set $sum (i32x4.add (local.get $sum) (i32x4.add
          (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_s (local.get $bytes)) (i16x8.extend_low_i8x16_s (local.get $bytes)))
          (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_s (local.get $bytes)) (i16x8.extend_high_i8x16_s (local.get $bytes))))))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (br_if $dims (i32.le_u (local.get $to) (local.get $last))))
      (f64.store (local.get $norms) (f64.convert_i32_s
        (i32.add
          (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
          (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum))))))
      (local.set $norms (i32.add (local.get $norms) (i32.const 8)))
      (br_if $codes (i32.lt_u (local.get $to) (local.get $end)))))

  ;; Write the $bytes signed bytes at $from as 16-bit integers to $to.
  (func (export "widen") (param $from i32) (param $to i32) (param $bytes i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $from) (local.get $bytes)))
    (loop $next
      (v128.store (local.get $to) (v128.load8x8_s (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $from) (local.get $end)))))

  ;; dot / sqrt(na * nb) as two 32-bit floats (then two zeros), 0 where a code is zero.
  (func $cosines (param $dots v128) (param $na v128) (param $nb v128) (result v128)
    (local $product v128)
    (local.set $product (f64x2.mul (local.get $na) (local.get $nb)))
    (f32x4.demote_f64x2_zero (v128.and
      (f64x2.gt (local.get $product) (v128.const f64x2 0 0))
      (f64x2.div (f64x2.convert_low_i32x4_s (local.get $dots)) (f64x2.sqrt (local.get $product))))))

  ;; Similarities of the widened query, whose squared norm is $norm, with the codes from $code to before $end, four at a time: up to
  ;; three past $end are computed too. $norms are squared norms as doubles, $out 32-bit floats, each of the first code on.
  (func (export "score") (param $code i32) (param $end i32) (param $stride i32) (param $query i32) (param $norm f64) (param $norms i32) (param $out i32)
    (local $second i32) (local $third i32) (local $fourth i32) (local $at i32) (local $stop i32)
    (local $low v128) (local $high v128) (local $na v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $na (f64x2.splat (local.get $norm)))
    (loop $codes
      (local.set $second (i32.add (local.get $code) (local.get $stride)))
      (local.set $third (i32.add (local.get $second) (local.get $stride)))
      (local.set $fourth (i32.add (local.get $third) (local.get $stride)))
      (local.set $a (v128.const i32x4 0 0 0 0))
      (local.set $b (v128.const i32x4 0 0 0 0))
      (local.set $c (v128.const i32x4 0 0 0 0))
      (local.set $d (v128.const i32x4 0 0 0 0))
      (local.set $at (local.get $query))
      (local.set $stop (local.get $second))
      (loop $dims
        (local.set $low (v128.load (local.get $at)))
        (local.set $high (v128.load offset=16 (local.get $at)))
        (local.set $a (i32x4.add (local.get $a) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $low) (v128.load8x8_s (local.get $code)))
          (i32x4.dot_i16x8_s (local.get $high) (v128.load8x8_s offset=8 (local.get $code))))))
        (local.set $b (i32x4.add (local.get $b) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $low) (v128.load8x8_s (local.get $second)))
          (i32x4.dot_i16x8_s (local.get $high) (v128.load8x8_s offset=8 (local.get $second))))))
        (local.set $c (i32x4.add (local.get $c) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $low) (v128.load8x8_s (local.get $third)))
          (i32x4.dot_i16x8_s (local.get $high) (v128.load8x8_s offset=8 (local.get $third))))))
        (local.set $d (i32x4.add (local.get $d) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $low) (v128.load8x8_s (local.get $fourth)))
          (i32x4.dot_i16x8_s (local.get $high) (v128.load8x8_s offset=8 (local.get $fourth))))))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (local.set $code (i32.add (local.get $code) (i32.const 16)))
        (local.set $second (i32.add (local.get $second) (i32.const 16)))
        (local.set $third (i32.add (local.get $third) (i32.const 16)))
        (local.set $fourth (i32.add (local.get $fourth) (i32.const 16)))
        (br_if $dims (i32.lt_u (local.get $code) (local.get $stop))))
      ;; Four times four parts become the four dot products: add the halves of $a and $b to each other, of $c and $d, then of both.
      (local.set $a (i32x4.add
        (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b))
        (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b))))
      (local.set $c (i32x4.add
        (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d))
        (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d))))
      (local.set $a (i32x4.add
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a) (local.get $c))
        (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a) (local.get $c))))
      (v128.store64_lane 0 (local.get $out)
        (call $cosines (local.get $a) (local.get $na) (v128.load (local.get $norms))))
      (v128.store64_lane offset=8 0 (local.get $out)
        (call $cosines
          (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $a) (local.get $a))
          (local.get $na) (v128.load offset=16 (local.get $norms))))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (local.set $norms (i32.add (local.get $norms) (i32.const 32)))
      ;; $code stands at the second code now, $fourth has passed the fourth.
      (local.set $code (local.get $fourth))
      (br_if $codes (i32.lt_u (local.get $code) (local.get $end))))))
