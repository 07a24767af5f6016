; Jumps whose sizes depend on each other.
bits 16
org 0x100
a:      jmp d
        times 60 nop
b:      je e
        times 60 nop
c:      jmp f
        call far_away
        times 4 jmp d
d:      times 120 nop
e:      jne a
f:      jmp near g
        jmp short g
g:      jg b
        jcxz f
align 16
        jmp 0x7c5a
        call 0x7c5a
aligned:
        times aligned - a - 250 nop
        jmp a
.local: jmp .local
        jmp aligned.local
bits 32
        je a
        jmp far_away
bits 64
        jmp a
        je far_away
        call a
        loop far_away
far_away:
