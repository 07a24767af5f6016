; Every shape of address: which register is base and which index, and how long the displacement is.
default abs
bits 32
        mov eax, [ebx]
        mov eax, [ebp]
        mov eax, [esp]
        mov eax, [ebp+eax]
        mov eax, [eax+ebp]
        mov eax, [eax*1+ebp]
        mov eax, [ebp*1+eax*1]
        mov eax, [eax*1+ecx*1+5]
        mov eax, [esp+eax]
        mov eax, [eax+esp]
        mov eax, [esp*1]
        mov eax, [ebp*1+esp]
        mov eax, [eax*2]
        mov eax, [ebp*2]
        mov eax, [eax*2+5]
        mov eax, [eax*3]
        mov eax, [eax*4]
        mov eax, [eax*5]
        mov eax, [eax*9-1]
        mov eax, [eax+eax]
        mov eax, [ebx+ebx*2]
        mov eax, [ebx*2+ebx]
        mov eax, [ebp*2+eax]
        mov eax, [eax+ebx-eax]
        mov eax, [2+ebp+1]
        mov eax, [eax-4]
        mov eax, [eax+127]
        mov eax, [eax+128]
        mov eax, [eax-128]
        mov eax, [eax-129]
        mov eax, [byte ebx+5]
        mov eax, [dword ebx+5]
        mov eax, [ebx+SIZE*8]
        mov eax, [ebx+end-start]
        mov eax, [ebx+end]
        mov eax, [end]
        mov [end], al
        mov ebx, [end]
        mov eax, [ds:5]
        mov [ds:ebp], eax
        mov [ss:ebp], eax
        mov eax, [es:ebx]
        mov ax, [bx+si]
        mov ax, [di+bp+2]
        mov ax, [word 0x1234]
        lock add [es:bx], ax
start:
bits 16
        mov ax, [bx]
        mov ax, [bp]
        mov ax, [si+bx]
        mov ax, [bp+di-1]
        mov ax, [bx+0x7fff]
        mov ax, [bx-0x8000]
        mov ax, [bx+0xffff]
        mov eax, [ebx]
        mov eax, [dword start]
        mov [start], cx
        mov [cs:start], cx
        lea si, [di+4]
end:
bits 64
        mov rax, [end]
        mov rbx, [rel end]
        mov rbx, [abs end]
        mov eax, [fs:0]
        mov rax, [gs:rbx+8]
        mov rax, [ds:rbp]
        mov rax, [rsp+r12*8]
        mov rax, [r12]
        mov rax, [r13]
        mov rax, [r13+r13]
        mov rax, [r12*2]
        mov eax, [r8d+r9d*4+1]
        mov rax, [qword 0x1122334455667788]
        mov [qword 0x1122334455667788], al
        mov rax, [rbx+end]
default rel
        mov rax, [end]
        lea rdi, [start+4]
        mov rax, [abs end]
        mov eax, [fs:end]
        mov rax, [rbx+end]
        mov eax, [0x1000]
        mov dword [end], 5
        cmp byte [end], 5
        imul eax, [end], 1000
SIZE    equ 3
